// Leaders of the modelled system: a role that has lost its leader elects another one.
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

constexpr std::int64_t k_election_ms_max = 5'000;    // without a leader
constexpr std::int64_t k_election_again_ms = 1'000;  // if nobody can be elected

}  // namespace

bool ModelledSystem::is_leader(const Member& member) const {
    return member.is_up && !member.leads.empty() && value(member.leads) == Json(true);
}

// Others of the role lead no more.
void ModelledSystem::elect(const std::string& name) {
    const std::string& its_role = members_.at(name).role;
    change(fmt::format("the election of {}", name), [&] {
        for (const auto& [other, member] : members_) {
            if (member.role == its_role && !member.leads.empty()) {
                values_[member.leads] = member.is_up ? Json(other == name) : Json();
            }
        }
    });
    consider_laws("");
}

// An election comes some time after the leader is lost. Replays tell of each election.
void ModelledSystem::consider_elections() {
    for (const model::PlanRole& plan_role : plan_.roles) {
        const auto leads = [&](const std::string& name) { return is_leader(members_.at(name)); };
        const auto may_lead = [&](const std::string& name) {
            return !members_.at(name).leads.empty();
        };
        const auto& names = plan_role.members;
        if (is_directed_ || std::none_of(names.begin(), names.end(), may_lead)
            || std::any_of(names.begin(), names.end(), leads)) {
            election_at_ms_.erase(plan_role.name);
        } else if (!election_at_ms_.contains(plan_role.name)) {
            election_at_ms_[plan_role.name] = now_ms_ + faults_.between(0, k_election_ms_max);
        }
    }
}

void ModelledSystem::hold_election(const std::string& name) {
    std::vector<std::string> candidates;
    for (const auto& [member_name, member] : members_) {
        if (member.role == name && !member.leads.empty() && is_ready(member)) {
            candidates.push_back(member_name);
        }
    }
    if (candidates.empty()) {
        election_at_ms_[name] = now_ms_ + k_election_again_ms;
        return;
    }
    election_at_ms_.erase(name);
    const auto choice = faults_.between(0, static_cast<std::int64_t>(candidates.size()) - 1);
    elect(candidates[static_cast<std::size_t>(choice)]);
}

}  // namespace drydock::sim
