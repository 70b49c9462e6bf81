// Quorums of the modelled system: who is ready, who votes, and which quorums hold.
//
// A quorum counts units: a member, or all members of one failure domain. Members that do not vote
// are left out. In a role that is ready together nobody is ready while too few run.
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

constexpr std::int64_t k_fresh_death_ms = 20'000;  // a death that a guard may not have seen

// A group in which nobody votes has no quorum.
int needed_of(const model::QuorumGroup& group, int units) {
    if (units == 0) {
        return 1;
    }
    switch (group.kind) {
    case model::QuorumKind::majority:
        return units / 2 + 1;
    case model::QuorumKind::at_least:
        return group.count;
    case model::QuorumKind::all_but:
        return units - group.count;
    case model::QuorumKind::none:
        break;
    }
    return 0;
}

}  // namespace

// The number of members that run, besides those that are left out.
int ModelledSystem::running_in(const std::string& role, const Names& without) const {
    return static_cast<int>(std::count_if(members_.begin(), members_.end(), [&](const auto& entry) {
        return entry.second.role == role && entry.second.is_up && !without.contains(entry.first);
    }));
}

// True for a member that serves: up, past its start time, and with enough others.
bool ModelledSystem::is_ready(const Member& member, const Names& without) const {
    const model::PlanRole* plan_role = role(member.role);
    return member.is_up && now_ms_ >= member.ready_at_ms
           && (plan_role == nullptr || plan_role->ready_with == 0
               || running_in(member.role, without) >= plan_role->ready_with);
}

// A member whose vote is not known counts as a voter.
bool ModelledSystem::is_voter(const std::string& member) const {
    const Member& asked = members_.at(member);
    return asked.voter.empty() || asked.is_vote_unknown || value(asked.voter) == Json(true);
}

// A quorum that is one number is a group of all members.
ModelledSystem::Groups ModelledSystem::groups_of(const model::PlanRole& role) {
    Groups groups = role.groups;
    if (role.quorum > 0) {
        groups.push_back({.name = "",
                          .kind = model::QuorumKind::at_least,
                          .count = role.quorum,
                          .members = role.members});
    }
    for (model::QuorumGroup& group : groups) {
        group.name =
            group.name.empty() ? role.name : fmt::format("{} of {}", group.name, role.name);
    }
    return groups;
}

ModelledSystem::QuorumCount ModelledSystem::count_units(const model::QuorumGroup& group,
                                                        const Names& without,
                                                        bool leaves_votes) const {
    std::map<std::string, bool> ready_units;  // by domain, else by member
    int touched = 0;
    for (std::size_t i = 0; i < group.members.size(); ++i) {
        const std::string& name = group.members[i];
        if (!is_voter(name) || (leaves_votes && is_vote_leaving(name))) {
            continue;
        }
        const std::string& unit = group.domains.empty() ? name : group.domains[i];
        const bool is_up = is_ready(members_.at(name), without) && !without.contains(name);
        const auto [entry, is_new] = ready_units.emplace(unit, is_up);
        entry->second = entry->second && is_up;
        touched += without.contains(name) ? 1 : 0;
    }
    const auto ready = std::count_if(
        ready_units.begin(), ready_units.end(), [](const auto& unit) { return unit.second; });
    return {static_cast<int>(ready),
            needed_of(group, static_cast<int>(ready_units.size())),
            touched > 0};
}

ModelledSystem::Groups ModelledSystem::kept_quorums(const Names& without) const {
    Groups kept;
    for (const model::PlanRole& plan_role : plan_.roles) {
        for (model::QuorumGroup& group : groups_of(plan_role)) {
            const QuorumCount count = count_units(group, without);
            if (count.ready >= count.needed) {
                kept.push_back(std::move(group));
            }
        }
    }
    return kept;
}

// Records a violation if a command takes a group below its minimum. A recent death is an excuse:
// the guard may have been evaluated before it.
void ModelledSystem::check_quorum(const Groups& before,
                                  const model::Action& action,
                                  const Names& without) {
    const bool excused = !is_directed_ && now_ms_ - died_ms_ <= k_fresh_death_ms;
    if (plan_.kind != "rolling" || excused) {
        return;
    }
    for (const model::QuorumGroup& group : before) {
        const QuorumCount after = count_units(group, without, true);
        if (after.ready < after.needed) {
            record_violation("quorum",
                             fmt::format("{} leaves {} of the {} members that {} needs",
                                         action.id,
                                         after.ready,
                                         after.needed,
                                         group.name));
        }
    }
}

// True if no quorum is lost without these members, nor is at its limit before.
bool ModelledSystem::keeps_quorum_without(const Names& members) const {
    for (const model::PlanRole& plan_role : plan_.roles) {
        for (const model::QuorumGroup& group : groups_of(plan_role)) {
            const QuorumCount after = count_units(group, members);
            const QuorumCount before = count_units(group, {});
            if (after.is_touched && (after.ready < after.needed || before.ready <= before.needed)) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace drydock::sim
