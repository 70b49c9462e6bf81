#include "mutants/law_operators.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mutants {

using model::Action;
using model::Plan;

Plan& add(std::vector<Mutant>& mutants,
          const char* kind,
          const Base& base,
          const Plan& plan,
          const std::string& what) {
    mutants.push_back({kind, fmt::format("{}: {}", base.name, what), plan});
    return mutants.back().plan;
}

void drop_guard(Plan& plan, std::size_t index) {
    plan.actions[index].preconditions.clear();
}

void do_side_by_side(Plan& plan, std::size_t index) {
    plan.actions[index].predecessors = after_without_others(plan, index);
}

void do_two_at_once(Plan& plan, std::size_t index) {
    for (Action& action : plan.actions) {
        if (action.verb == plan.actions[index].verb) {
            action.preconditions.clear();
        }
    }
    const std::size_t first = index - 1;  // what its own member does before it
    const bool own = plan.actions[first].member == plan.actions[index].member;
    do_side_by_side(plan, own && waits_for_others(plan, first) ? first : index);
}

const model::PlanRole* role_of(const Plan& plan, const std::string& member) {
    for (const model::PlanRole& role : plan.roles) {
        if (std::find(role.members.begin(), role.members.end(), member) != role.members.end()) {
            return &role;
        }
    }
    return nullptr;
}

bool is_first_of_all(const Plan& plan, const std::string& member) {
    return plan.roles.front().members.front() == member;
}

}  // namespace drydock::mutants
