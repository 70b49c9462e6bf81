// The guard `quorum_without`: nobody is taken down whom the others cannot do without.
//
// A condition counts members, and a quorum by domains counts units. So the guard asks for somewhat
// more than the quorum needs: each member that is not ready counts as a unit that is not. Members
// of the units that are taken down do not count, since those units are lost anyway.
//
// A step may take votes away. Then the quorum is asked of those who vote behind it: of three voters
// two are left, and both are needed; of two, one is left.
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace drydock::planner {

namespace {

using model::Condition;
using model::Member;
using model::PlanRole;
using model::QuorumGroup;
using Names = std::vector<std::string>;

bool contains(const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

const PlanRole& role_of(const PlanBuilder& draft, const std::string& name) {
    const auto& roles = draft.plan.roles;
    return *std::find_if(
        roles.begin(), roles.end(), [&](const PlanRole& role) { return role.name == name; });
}

// Returns the members of a role that go down with this one.
Names taken_down(const PlanBuilder& draft, const Member& member, model::Reach reach) {
    return reach == model::Reach::host ? members_on(draft, member.role, member.host)
                                       : Names{member.name};
}

// Returns the condition that so many of the role's other members are ready.
Condition others_ready(const PlanBuilder& draft,
                       const Member& member,
                       int members_min,
                       const std::string& source) {
    Condition ready = {.fact =
                           bound_fact(draft.request.pack, member.role, model::StandardFact::ready),
                       .role = member.role,
                       .quantifier = model::Quantifier::others,
                       .relation = model::Relation::is};
    ready.operand = true;
    ready.type = model::FactType::boolean;
    ready.members_min = members_min;
    ready.remedy = "bring the other members up first: stopping this one now would take more out "
                   "of service than is allowed";
    ready.position.file = source;
    return ready;
}

// Leaves all members out that a group's condition does not count. A plain condition on the others
// leaves out nobody but the member itself.
void count_only(const PlanBuilder& draft, const Names& counted, Condition& ready) {
    ready.excluded_members = draft.scope.members.at(ready.role);
    std::erase_if(ready.excluded_members,
                  [&](const std::string& name) { return contains(counted, name); });
}

// What the step of a guard leaves: who is down, and who votes.
struct Aftermath {
    Names down;
    Votes votes;
};

// A vote that the step gives does not count yet: its member may not be ready.
Aftermath aftermath_of(const PlanBuilder& draft,
                       const Member& member,
                       model::Reach reach,
                       const model::Action& action) {
    Aftermath behind = {taken_down(draft, member, reach), draft.votes};
    Votes moved;
    note_votes(draft, action, moved);
    for (const auto& [name, has_vote] : moved) {
        if (!has_vote) {
            behind.votes[name] = false;
        }
    }
    return behind;
}

// Returns a condition that never holds: a step may not take the last vote of a group, since nobody
// could decide anything there any more.
Condition refusal(const PlanBuilder& draft, const Member& member, const std::string& source) {
    Condition ready = others_ready(draft, member, 1, source);
    count_only(draft, {}, ready);
    ready.remedy = "let others vote before this step: it takes the last vote";
    return ready;
}

// Returns the condition of one group; none if it loses no unit, or if the others do not matter.
std::optional<Condition> group_guard(const PlanBuilder& draft,
                                     const Member& member,
                                     const QuorumGroup& group,
                                     const Aftermath& behind,
                                     const std::string& source) {
    const Units units = units_of(draft, member.role, group, behind.votes);
    const bool has_lost_votes = units != units_of(draft, member.role, group);
    if (has_lost_votes && units.empty()) {
        return refusal(draft, member, source);
    }
    Names others;
    int lost = 0;
    for (const auto& [unit, members] : units) {
        const bool is_lost = std::any_of(members.begin(), members.end(), [&](const auto& name) {
            return contains(behind.down, name);
        });
        lost += is_lost ? 1 : 0;
        if (!is_lost) {
            others.insert(others.end(), members.begin(), members.end());
        }
    }
    const int spare = static_cast<int>(units.size()) - lost - needed_of(group, units.size());
    const int members_min = static_cast<int>(others.size()) - spare;
    if ((lost == 0 && !has_lost_votes) || members_min <= 0) {
        return std::nullopt;
    }
    Condition ready = others_ready(draft, member, members_min, source);
    count_only(draft, others, ready);
    if (!group.name.empty()) {
        ready.remedy = fmt::format("bring the other members of {} up first: it has a quorum of its "
                                   "own, and would lose it now",
                                   group.name);
    }
    return ready;
}

// Returns the condition on all voters of a role with groups: the operator's `max_unavailable`.
std::optional<Condition> availability_guard(const PlanBuilder& draft,
                                            const Member& member,
                                            const Aftermath& behind,
                                            const std::string& source) {
    Names voters = draft.scope.members.at(member.role);
    std::erase_if(voters, [&](const std::string& name) {
        return !votes(draft, member.role, name, behind.votes);
    });
    const int members_min =
        static_cast<int>(voters.size()) - draft.request.cluster.policy.max_unavailable;
    if (members_min <= 0) {
        return std::nullopt;
    }
    Condition ready = others_ready(draft, member, members_min, source);
    std::erase_if(voters, [&](const std::string& name) { return contains(behind.down, name); });
    count_only(draft, voters, ready);
    return ready;
}

// Requires the quorum of one number, and all but `max_unavailable`. The higher number counts.
Condition number_guard(const PlanBuilder& draft,
                       const Member& member,
                       model::Reach reach,
                       const std::string& source) {
    const auto members = static_cast<int>(draft.scope.members.at(member.role).size());
    const int allowed = members - draft.request.cluster.policy.max_unavailable;
    const int quorum = role_of(draft, member.role).quorum;
    Condition ready = others_ready(draft, member, std::max(quorum, allowed), source);
    if (reach == model::Reach::host) {
        ready.excluded_members = taken_down(draft, member, reach);
    }
    return ready;
}

}  // namespace

std::vector<Condition> quorum_guards(const PlanBuilder& draft,
                                     const Member& member,
                                     model::Reach reach,
                                     const model::Action& action) {
    const PlanRole& role = role_of(draft, member.role);
    if (role.groups.empty()) {
        return {number_guard(draft, member, reach, action.source)};
    }
    const Aftermath behind = aftermath_of(draft, member, reach, action);
    std::vector<Condition> guards;
    if (auto guard = availability_guard(draft, member, behind, action.source)) {
        guards.push_back(std::move(*guard));
    }
    for (const QuorumGroup& group : role.groups) {
        if (auto guard = group_guard(draft, member, group, behind, action.source)) {
            guards.push_back(std::move(*guard));
        }
    }
    return guards;
}

}  // namespace drydock::planner
