// Computes which members a run expects to be up, from the actions that start or stop them.
#include "run/expected_facts.h"
#include "run/expected_stores.h"

#include <algorithm>

namespace drydock::run {

using model::ObservationStatus;
using model::Plan;

// Notes for each member whether it was up when the plan was made, and which actions start or stop
// it. A member that no action touches counts as up.
ExpectedMembers::ExpectedMembers(const Plan& plan) : roster_(plan.roster()) {
    std::map<std::string, std::size_t, std::less<>> index;  // by key of the bound fact
    for (const auto& [role, members] : roster_) {
        for (const std::string& member : members) {
            const std::string key = bound_key(plan, member, model::StandardFact::running);
            const auto planned = plan.bound_facts.find(key);
            index.emplace(key, planned_.size());
            planned_.push_back(key.empty() || planned == plan.bound_facts.end()
                               || planned->second.status == ObservationStatus::known);
        }
    }
    for (std::size_t i = 0; i < plan.actions.size(); ++i) {
        for (const model::Effect& effect : plan.actions[i].effects) {
            const auto entry = index.find(model::fact_key(effect.member, effect.name));
            if (entry != index.end()) {
                touches_.push_back({i, entry->second, !effect.value.is_null()});
            }
        }
    }
    std::vector<bool> touched(planned_.size(), false);
    for (const Touch& touch : touches_) {
        touched[touch.member] = true;
    }
    for (std::size_t member = 0; member < planned_.size(); ++member) {
        planned_[member] = planned_[member] || !touched[member];
    }
}

model::Roster ExpectedMembers::live_members(const State& state) const {
    std::vector<bool> is_up = planned_;
    for (const Touch& touch : touches_) {
        const Status status = state.status(touch.action);
        if (took_effect(status) || is_unsettled(status)) {
            is_up[touch.member] = took_effect(status) && touch.is_up;
        }
    }
    model::Roster roster = roster_;
    std::size_t position = 0;
    for (auto& [role, members] : roster) {
        std::erase_if(members, [&](const std::string&) { return !is_up[position++]; });
    }
    return roster;
}

model::Roster members_up(const Plan& plan, const State& state) {
    return ExpectedMembers(plan).live_members(state);
}

}  // namespace drydock::run
