// Laws: what the modelled cluster does when an action takes effect, and which rules are broken by
// what happens.
#pragma once

#include "reference/members.h"
#include "reference/stores.h"
#include "reference/world.h"

namespace drydock::reference {

using Broken = std::set<checker::Property>;

// The action takes effect.
[[nodiscard]] Broken take_effect(Model& model, std::size_t index, World& world);
// What the action promised was seen.
void prove_copies(const Model& model, std::size_t index, World& world);

// What was not bad before and is now: releases that serve apart, members that cannot read what they
// run on, a way back that closes.
[[nodiscard]] Broken judge(const Model& model, const World& before, const World& after);

// Whether the member would start by itself if it could.
// Whether members of its role come back by themselves.
[[nodiscard]] bool restarts(const Model& model, const std::string& member);
[[nodiscard]] bool may_start(const Model& model, const std::string& member, const World& world);
// It starts what is installed, which the plan did not ask for: by itself, or by a person.
[[nodiscard]] Broken start_unasked(Model& model, const std::string& member, World& world);

// The release that the plan leads to writes what the one it comes from cannot read, for good.
[[nodiscard]] bool closes_way_back(const model::Plan& plan, const model::PlanStore& store);
// Once the action has begun, nobody is promised a way back any more.
[[nodiscard]] bool closes_for_good(const model::Plan& plan, const model::Action& action);
// The way back is closed, or may close at any moment.
[[nodiscard]] bool is_closing(const Model& model, const World& world);
// A person has approved the gate of the point of no return.
[[nodiscard]] bool is_approved(const Model& model, const World& world);

// A temporary fact is not as it was when the plan was made; with `all` those of ways back count.
[[nodiscard]] bool leaves_behind(const Model& model,
                                 const std::vector<model::TemporaryFact>& temporaries,
                                 bool all,
                                 const World& world);

// It moves anything of the modelled world.
[[nodiscard]] bool moves_world(const Model& model, std::size_t index);

}  // namespace drydock::reference
