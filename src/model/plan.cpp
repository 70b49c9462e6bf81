#include "model/plan.h"

#include <algorithm>

namespace drydock::model {

const Action* Plan::find(std::string_view id) const {
    const auto it = std::find_if(
        actions.begin(), actions.end(), [&](const Action& one) { return one.id == id; });
    return it == actions.end() ? nullptr : &*it;
}

std::vector<std::string> Plan::members() const {
    std::vector<std::string> all;
    for (const PlanRole& role : roles) {
        all.insert(all.end(), role.members.begin(), role.members.end());
    }
    return all;
}

Roster Plan::roster() const {
    Roster roster;
    for (const PlanRole& role : roles) {
        roster.emplace(role.name, role.members);
    }
    return roster;
}

std::vector<std::string>
facts_of(const std::vector<Condition>& conditions, const Plan& plan, const std::string& member) {
    const Roster roster = plan.roster();
    std::vector<std::string> keys;
    for (const Condition& condition : conditions) {
        auto more = facts_of(condition, roster, member);
        std::move(more.begin(), more.end(), std::back_inserter(keys));
    }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    return keys;
}

}  // namespace drydock::model
