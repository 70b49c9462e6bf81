// Laws: what the modelled cluster does when an action takes effect, when a law fires, when a member
// dies; and which rules are broken by it.
#pragma once

#include "reference/world.h"

namespace drydock::reference {

using Broken = std::set<checker::Property>;

// The action takes effect.
[[nodiscard]] Broken take_effect(Model& model, std::size_t index, World& world);
// The command leaves: whether it takes its group below the minimum.
[[nodiscard]] Broken leave(const Model& model, std::size_t index, const World& world);
// What the action promised was seen.
void prove_copies(const Model& model, std::size_t index, World& world);

// Whether every member that the law looks at runs its release; whether it has had its effect.
[[nodiscard]] bool holds(const Model& model, const Rise& rise, const World& world);
[[nodiscard]] bool is_risen(const Model& model, const Rise& rise, const World& world);
[[nodiscard]] bool may_fire(const Model& model, const Rise& rise, const World& world);
void fire(Model& model, const Rise& rise, World& world);

// Whether the release can read all stores that the member opens.
[[nodiscard]] bool can_read_all(const Model& model,
                                const std::string& member,
                                const std::string& release,
                                const World& world);
void die(Model& model, const std::string& member, World& world);
// A person starts what is installed.
[[nodiscard]] bool may_be_started(const Model& model, const std::string& member, const World&);
void start_by_hand(Model& model, const std::string& member, World& world);

// The release that the plan leads to writes what the one it comes from cannot read, for good.
[[nodiscard]] bool closes_way_back(const model::Plan& plan, const model::PlanStore& store);
// The way back is closed, or may close at any moment.
[[nodiscard]] bool is_closing(const Model& model, const World& world);
// A person has approved the gate of the point of no return.
[[nodiscard]] bool is_approved(const Model& model, const World& world);

// What kind of action it is: brings its member up, takes it down, moves anything of the modelled
// world.
[[nodiscard]] bool starts(const model::Action& action);
[[nodiscard]] bool takes_down(const Model& model, const model::Action& action);
[[nodiscard]] bool moves_world(const Model& model, std::size_t index);

}  // namespace drydock::reference
