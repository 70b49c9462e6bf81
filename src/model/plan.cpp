// Look-ups in a plan. A plan has some thousand actions, so a linear search by id is good enough for
// commands; hot paths keep indices.
#include "model/plan.h"

#include <algorithm>

namespace drydock::model {

const Action* Plan::find(std::string_view id) const {
    const auto position = std::find_if(
        actions.begin(), actions.end(), [&](const Action& action) { return action.id == id; });
    return position == actions.end() ? nullptr : &*position;
}

std::vector<std::string> Plan::members() const {
    std::vector<std::string> names;
    for (const PlanRole& role : roles) {
        names.insert(names.end(), role.members.begin(), role.members.end());
    }
    return names;
}

// Every role of the pack is in the roster, also one without members.
Roster Plan::roster() const {
    Roster roster;
    for (const PlanRole& role : roles) {
        roster.emplace(role.name, role.members);
    }
    return roster;
}

// Returns the keys sorted, each once: several conditions often look at one fact.
std::vector<std::string>
facts_of(const std::vector<Condition>& conditions, const Plan& plan, const std::string& member) {
    const Roster roster = plan.roster();
    std::vector<std::string> keys;
    for (const Condition& condition : conditions) {
        auto condition_keys = facts_of(condition, roster, member);
        std::move(condition_keys.begin(), condition_keys.end(), std::back_inserter(keys));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

}  // namespace drydock::model
