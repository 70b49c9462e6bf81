// Decides from the plan and the counts of begins alone.
//
// An attempt that never began is taken back from the count, so it closes nothing. A failed attempt
// closes the way back like a successful one: it may have done the half that counts.
#include "run/return_point.h"

#include <algorithm>

namespace drydock::run {

namespace {

using model::Action;
using model::Effect;
using model::Plan;

// A store that the plan does not describe counts as needed by the old release.
bool is_needed(const Plan& plan, const std::string& name) {
    const auto store = std::find_if(plan.stores.begin(),
                                    plan.stores.end(),
                                    [&](const auto& candidate) { return candidate.name == name; });
    return store == plan.stores.end() || store->laws.contains(plan.from_version);
}

bool destroys_needed(const Plan& plan, const Action& action) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.kind == model::EffectKind::destroys && is_needed(plan, effect.name);
    });
}

bool is_return_point(const model::ReturnPoint& point, const std::string& id) {
    return point.exists
           && (point.action == id
               || std::find(point.further_actions.begin(), point.further_actions.end(), id)
                      != point.further_actions.end());
}

}  // namespace

bool closes_way_back(const Plan& plan, const Action& action) {
    return is_return_point(plan.point_of_no_return, action.id) || destroys_needed(plan, action);
}

std::optional<std::size_t> closed_by(const Plan& plan, const State& state) {
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.begun(i) > 0 && closes_way_back(plan, plan.actions[i])) {
            return i;
        }
    }
    return std::nullopt;
}

}  // namespace drydock::run
