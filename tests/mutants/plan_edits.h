// How a plan is broken in one place: actions taken out, moved and exchanged.
#pragma once

#include "model/plan.h"

#include <string>
#include <vector>

namespace drydock::mutants {

// Out of the order: what waited for it waits for what it waited for.
void bypass(model::Plan& plan, std::size_t index);
void remove_action(model::Plan& plan, std::size_t index);
// Everything else waits for it.
void move_to_front(model::Plan& plan, std::size_t index);
// It waits for nobody, and what waited for `before` waits for it, too.
void move_behind(model::Plan& plan, std::size_t index, std::size_t before);
// Each is done where the other was.
void exchange(model::Plan& plan, std::size_t one, std::size_t other);

// What it waits for, with other members' actions replaced by what they wait for.
[[nodiscard]] std::vector<std::size_t> after_without_others(const model::Plan& plan,
                                                            std::size_t index);
[[nodiscard]] bool waits_for_others(const model::Plan& plan, std::size_t index);
// Whether `index` is begun only after `before`.
[[nodiscard]] bool comes_behind(const model::Plan& plan, std::size_t index, std::size_t before);

[[nodiscard]] bool has_effect(const model::Action& action, model::EffectKind kind);
// The store that it raises, or null.
[[nodiscard]] const model::PlanStore* raised_by(const model::Plan& plan,
                                                const model::Action& action);
[[nodiscard]] std::size_t index_of(const model::Plan& plan, const std::string& id);

}  // namespace drydock::mutants
