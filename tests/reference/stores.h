// Stores: their formats, the laws that raise them, and what a member opens and can read.
#pragma once

#include "reference/world.h"

namespace drydock::reference {

// Null: the plan has no store of this name.
[[nodiscard]] const model::PlanStore* store_named(const Model& model, const std::string& name);

// The instances that a member opens when it starts: its own, and whatever its role shares or opens.
[[nodiscard]] std::vector<std::string> opened(const Model& model,
                                              const model::PlanStore& store,
                                              const std::string& member,
                                              const World& world);
// Whether the release can start on all stores that the member opens.
[[nodiscard]] bool can_start(const Model& model,
                             const std::string& member,
                             const std::string& release,
                             const World& world);
// Clients are let in, unless a fact says otherwise.
[[nodiscard]] bool takes_writes(const Model& model, const World& world);
// The members that run on a store that they cannot read.
[[nodiscard]] std::set<std::string> misreading(const Model& model, const World& world);

// The release whose laws for the store count if the member runs `release`.
[[nodiscard]] std::string reader(const Model& model,
                                 const model::PlanStore& store,
                                 const std::string& member,
                                 const std::string& release,
                                 const World& world);

// Whether the condition of a law that fires by itself holds; whether it has had its effect.
[[nodiscard]] bool holds(const Model& model, const Rise& rise, const World& world);
[[nodiscard]] bool is_risen(const Model& model, const Rise& rise, const World& world);
[[nodiscard]] bool may_fire(const Model& model, const Rise& rise, const World& world);
void fire(Model& model, const Rise& rise, World& world);

// A release that comes up converts what it opens.
void convert(Model& model, const std::string& member, const std::string& release, World& world);
// The stores for which that start must be alone, as long as they have not risen.
[[nodiscard]] std::set<std::string> converted_alone(const Model& model,
                                                    const std::string& member,
                                                    const std::string& release,
                                                    const World& world);

// And the levels that tell it.
void set_format(Model& model,
                const model::PlanStore& store,
                const std::string& instance,
                int format,
                World& world);
void apply_store_effect(Model& model, const model::Effect& effect, World& world);
// While the action is under way. The format that it gives.
[[nodiscard]] int format_meanwhile(const Model& model, const model::Effect& effect);
void apply_store_meanwhile(Model& model, const model::Effect& effect, World& world);
// The instances that an effect on a store acts on.
[[nodiscard]] std::vector<std::string>
touched(const Model& model, const model::PlanStore& store, const model::Effect& effect);
// All stores that have a copy, or those of this member.
void restore_all(Model& model, const std::string& member, World& world);

}  // namespace drydock::reference
