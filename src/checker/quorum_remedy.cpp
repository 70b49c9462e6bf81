// Remedies for a step that takes a group below its minimum.
//
// The usual one is a guard. A guard that is there already does not see what is under way, what
// `ready_with` makes of the others, and who votes.
#include "base/text.h"
#include "checker/member_effects.h"
#include "checker/remedies.h"
#include "checker/transition_text.h"
#include "checker/violation_parts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::checker {

namespace {

// The step that breaks the quorum, and its member.
struct Step {
    const Model& model;
    const Path& walk;
    const ActionModel& action;
    const model::Action& planned;
    Index role;  // of the members that it takes down, or whose votes it moves
};

// True if the guard `quorum_without` of the step counts the role: it is that of the step's member.
bool is_on_role(const Step& step) {
    return step.action.member != k_no_index
           && step.model.members[step.action.member].role == step.role;
}

// True if a guard of the step counts how many others are ready, as `quorum_without` does.
bool has_guard(const Step& step) {
    const auto& conditions = step.planned.preconditions;
    return std::any_of(conditions.begin(), conditions.end(), [](const auto& condition) {
        return condition.quantifier == model::Quantifier::others && condition.members_min > 0;
    });
}

// True if such a guard counts members that the step takes down itself.
bool counts_members_taken_down(const Step& step) {
    const auto& leaving = step.action.leaving;
    const auto& conditions = step.planned.preconditions;
    return std::any_of(conditions.begin(), conditions.end(), [&](const auto& condition) {
        const auto& excluded = condition.excluded_members;
        return condition.quantifier == model::Quantifier::others && condition.members_min > 0
               && std::any_of(leaving.begin(), leaving.end(), [&](Index member) {
                      return member != step.action.member
                             && std::count(excluded.begin(),
                                           excluded.end(),
                                           step.model.members[member].name)
                                    == 0;
                  });
    });
}

// Returns how many members of the role run on beside the step.
int count_running_on(const Step& step) {
    const auto& members = step.model.members_of[step.role];
    return static_cast<int>(std::count_if(members.begin(), members.end(), [&](Index member) {
        return is_running(step.model.members[member], step.walk.previous_row.data())
               && index_in(step.action.leaving, member) == k_no_index;
    }));
}

bool leaves_too_few_to_be_ready(const Step& step) {
    const int needed = step.model.ready_with[step.role];
    return needed > 0 && count_running_on(step) < needed;
}

bool takes_down_beside(const Step& step) {
    const auto beside = actions_beside(step.model, step.walk);
    return std::any_of(beside.begin(), beside.end(), [&](Index action) {
        const auto& leaving = step.model.actions[action].leaving;
        return std::any_of(leaving.begin(), leaving.end(), [&](Index member) {
            return step.model.members[member].role == step.role;
        });
    });
}

// Returns the names of the members of the role that pass the test.
template <class Test>
std::string names_of(const Step& step, const Test& test) {
    std::vector<std::string> names;
    for (const Index index : step.model.members_of[step.role]) {
        const Member& member = step.model.members[index];
        if (member.voter != k_no_offset && test(member)) {
            names.push_back(member.name);
        }
    }
    return join(names, " and ");
}

// Members that run and do not vote do not count; members that are gone for good and vote do.
std::string remedy_of_votes(const Step& step) {
    const Byte* row = step.walk.previous_row.data();
    const std::string silent = names_of(step, [&](const Member& member) {
        return is_running(member, row) && !votes(step.model, member, row);
    });
    if (!silent.empty()) {
        return fmt::format("let {} vote before this step (an effect on the fact bound to `voter`)",
                           silent);
    }
    const std::string gone = names_of(step, [&](const Member& member) {
        const auto& events = member.up_down_events;
        return votes(step.model, member, row) && !events.empty()
               && std::none_of(
                   events.begin(), events.end(), [](const auto& event) { return event.up; });
    });
    return gone.empty() ? ""
                        : fmt::format("take the votes of {} away before each is stopped (an effect "
                                      "on the fact bound to `voter`): they do not come back",
                                      gone);
}

std::string remedy_by_order(const Step& step) {
    const char* guard = has_guard(step) ? "" : "add `quorum_without: this` to its guards, and ";
    return fmt::format("{}take fewer members at a time, as with `order: serial`: no guard sees "
                       "what is under way",
                       guard);
}

// True if the others of the role that vote all serve when the step begins: then a guard waits for
// nothing that would help.
bool is_short_by_itself(const Step& step) {
    const auto& members = step.model.members_of[step.role];
    const Byte* row = step.walk.previous_row.data();
    return std::all_of(members.begin(), members.end(), [&](Index index) {
        const Member& member = step.model.members[index];
        return index_in(step.action.leaving, index) != k_no_index
               || is_serving(step.model, member, row) || !votes(step.model, member, row);
    });
}

bool is_all_on_its_host(const Step& step) {
    const auto& leaving = step.action.leaving;
    return step.action.member != k_no_index
           && std::all_of(leaving.begin(), leaving.end(), [&](Index member) {
                  return step.model.members[member].host
                         == step.model.members[step.action.member].host;
              });
}

// One command takes down whom no guard of it counts, or more than may be missed.
std::string remedy_of_joint_stop(const Step& step) {
    return fmt::format("take fewer members at a time: let a step on each {} (`each`, with `order: "
                       "serial` and the guard `quorum_without: this`) take down its own member",
                       step.model.roles[step.role]);
}

// The guard of a step that takes down all of its host is to count those on other hosts alone.
std::string remedy_by_wider_guard(const Step& step) {
    return counts_members_taken_down(step)
               ? "write `quorum_without: host` for its guard: what the guard counts now goes down "
                 "with this step"
               : remedy_of_joint_stop(step);
}

bool is_on_host(const Model& model, Index member, Index host) {
    return model.members[member].host == host;
}

// True if a group has enough units without those that have a voter on the host, if all others
// serve.
bool can_spare_host(const Step& step, const QuorumGroup& group, Index host) {
    const Byte* row = step.walk.previous_row.data();
    int all = 0;
    int kept = 0;
    for (const auto& unit : group.units) {
        bool has_voter = false;
        bool is_lost = false;
        for (const Index index : unit) {
            const bool is_voter = votes(step.model, step.model.members[index], row);
            has_voter = has_voter || is_voter;
            is_lost = is_lost || (is_voter && is_on_host(step.model, index, host));
        }
        all += has_voter ? 1 : 0;
        kept += has_voter && !is_lost ? 1 : 0;
    }
    const int needed = group.kind == model::QuorumKind::majority  ? all / 2 + 1
                       : group.kind == model::QuorumKind::all_but ? all - group.count
                                                                  : group.count;
    return kept > 0 && kept >= needed;
}

// True if the quorum of the role stays when all its members of a host are down.
bool can_spare_host(const Step& step, Index host) {
    const auto& members = step.model.members_of[step.role];
    const auto& groups = step.model.groups[step.role];
    const auto kept = std::count_if(members.begin(), members.end(), [&](Index index) {
        return !is_on_host(step.model, index, host);
    });
    return kept >= step.model.quorum[step.role]
           && std::all_of(groups.begin(), groups.end(), [&](const QuorumGroup& group) {
                  return can_spare_host(step, group, host);
              });
}

// True if steps of the plan have taken down others of the role on the host of the step's member.
bool follows_others_of_host(const Step& step) {
    const auto& members = step.model.members_of[step.role];
    const Member& own = step.model.members[step.action.member];
    if (!can_spare_host(step, own.host)) {
        return false;  // the quorum allows no more than one of them
    }
    return std::any_of(members.begin(), members.end(), [&](Index index) {
        const Member& member = step.model.members[index];
        return index != step.action.member && member.host == own.host
               && !member.stopping_actions.empty()
               && step.model.plan.actions[member.stopping_actions.front()].phase
                      == step.planned.phase
               && !step.model.groups[step.role].empty();
    });
}

std::string remedy_by_guard(const Step& step) {
    const std::string by_votes = remedy_of_votes(step);
    return fmt::format("add `quorum_without: {}` to its guards{}{}{}",
                       step.action.leaving.size() > 1 ? "host" : "this",
                       follows_others_of_host(step)
                           ? "; where others of its host are down meanwhile, let `policy: "
                             "{max_unavailable: N}` in the cluster file allow as many"
                           : "",
                       by_votes.empty() ? "" : ", and ",
                       by_votes);
}

// Returns the member that the action gives a vote and that does not serve; null: there is none.
const Member* find_early_voter(const Step& step) {
    for (const Index index : step.model.members_of[step.role]) {
        const Member& member = step.model.members[index];
        const bool gains = std::any_of(
            step.action.writes.begin(), step.action.writes.end(), [&](const Write& write) {
                return write.offset == member.voter && write.value == step.model.value_serving;
            });
        if (gains && !is_serving(step.model, member, step.walk.previous_row.data())) {
            return &member;
        }
    }
    return nullptr;
}

// True if a later step of the plan starts the member.
bool is_started_later(const Step& step, const Member& member) {
    const auto& events = member.up_down_events;
    const auto own = static_cast<Index>(&step.action - step.model.actions.data());
    return std::any_of(events.begin(), events.end(), [&](const auto& event) {
        return event.up && event.action > own;
    });
}

std::string remedy_of_early_voter(const Step& step, const Member& early) {
    return is_started_later(step, early)
               ? fmt::format("let {} serve before it votes: move this step behind its start",
                             early.name)
               : fmt::format(
                     "let {} serve before it votes: let a guard of this step ask that it is "
                     "ready, as in `{{fact: ready, is: true}}`",
                     early.name);
}

// True if the step takes the member's vote away, or does so while it is under way.
bool takes_vote(const Step& step, const Member& member) {
    const auto takes = [&](const std::vector<Write>& writes) {
        return std::any_of(writes.begin(), writes.end(), [&](const Write& write) {
            return write.offset == member.voter && write.value != step.model.value_serving;
        });
    };
    return votes(step.model, member, step.walk.previous_row.data())
           && (takes(step.action.writes) || takes(step.action.votes_meanwhile));
}

// Returns the remedy for a step that takes several votes, or the last one; empty for others.
std::string remedy_of_taken_votes(const Step& step) {
    int taken = 0;
    int left = 0;
    for (const Index index : step.model.members_of[step.role]) {
        const Member& member = step.model.members[index];
        const bool has_vote = votes(step.model, member, step.walk.previous_row.data());
        const bool is_taken = member.voter != k_no_offset && takes_vote(step, member);
        taken += is_taken ? 1 : 0;
        left += has_vote && !is_taken ? 1 : 0;
    }
    if (taken > 1) {
        return fmt::format("leave enough members their votes: let a step on each {} (`each`, with "
                           "`order: serial` and the guard `quorum_without: this`) take its own",
                           step.model.roles[step.role]);
    }
    return taken == 1 && left == 0 ? "let others vote before this step: it takes the last vote"
                                   : "";
}

// The step takes nobody down, and moves votes.
std::string remedy_of_moved_votes(const Step& step) {
    if (const Member* early = find_early_voter(step)) {
        return remedy_of_early_voter(step, *early);
    }
    if (takes_down_beside(step)) {
        return remedy_by_order(step);
    }
    if (std::string remedy = remedy_of_taken_votes(step); !remedy.empty()) {
        return remedy;
    }
    return !has_guard(step) && is_on_role(step)
               ? "add `quorum_without: this` to its guards"
               : fmt::format("let a guard of this step ask that all others serve, as in `{{fact: "
                             "ready, role: {}, of: every, is: true}}`",
                             step.model.roles[step.role]);
}

}  // namespace

std::string remedy_of_quorum(const Model& model, const Path& walk) {
    if (!is_about_action(walk.last_transition.kind)) {
        return "take fewer members at a time";
    }
    const ActionModel& action = model.actions[walk.last_transition.index];
    const bool takes_down = !action.leaving.empty();
    const Step step = {model,
                       walk,
                       action,
                       model.plan.actions[walk.last_transition.index],
                       takes_down ? model.members[action.leaving.front()].role
                                  : action.roles_short_of.front()};
    if (!takes_down) {
        return remedy_of_moved_votes(step);
    }
    if (takes_down_beside(step)) {
        return remedy_by_order(step);
    }
    if (leaves_too_few_to_be_ready(step)) {
        return fmt::format("a stop leaves fewer than `ready_with: {}`, so that none is ready: if "
                           "both rules are true, write a procedure of the kind `offline`",
                           model.ready_with[step.role]);
    }
    const bool is_crowd =
        action.leaving.size() > 1 && (is_short_by_itself(step) || !is_all_on_its_host(step));
    if (is_crowd || !is_on_role(step)) {
        return remedy_of_joint_stop(step);
    }
    if (has_guard(step)) {
        const std::string by_votes = remedy_of_votes(step);
        return by_votes.empty() ? remedy_by_wider_guard(step) : by_votes;
    }
    return remedy_by_guard(step);
}

}  // namespace drydock::checker
