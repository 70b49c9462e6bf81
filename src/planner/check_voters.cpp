// Pass: somebody votes when the plan is made.
//
// A group in which nobody votes has no quorum, so that no step is held up by it. A probe of votes
// that reads wrong would switch the quorum off in silence. A shard of which all members have
// retired is as it should be: it is only told of, as are clusters whose members are all down.
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::PlanRole;
using model::QuorumGroup;
using model::StandardFact;

bool has_voter(const PlanBuilder& draft, const PlanRole& role, const QuorumGroup& group) {
    return !units_of(draft, role.name, group).empty();
}

// Nobody of the whole role votes, and some of its members run.
void tell_of_role(PlanBuilder& draft, const PlanRole& role) {
    const std::string fact = voter_fact(draft, role.name);
    std::string summary =
        fmt::format("nobody of role {} votes: `{}` is true of none of its {} members, so that "
                    "its quorum would hold up no step",
                    role.name,
                    fact,
                    role.members.size());
    const bool runs = std::any_of(role.members.begin(), role.members.end(), [&](const auto& name) {
        return found_running(draft, role.name, name) == model::ObservationStatus::known;
    });
    if (is_way_back(draft) || !runs) {
        draft.plan.notes.push_back(std::move(summary));
        return;
    }
    draft.problem({"plan.voters",
                   std::move(summary),
                   fmt::format("see that the probe of `{}` reads who votes (drydock survey); or "
                               "write `quorum: none` at the role, if that is meant",
                               fact),
                   ErrorClass::permanent});
}

bool is_vote_known(const PlanBuilder& draft, const std::string& fact, const std::string& member) {
    const auto voter = draft.request.facts.find(model::fact_key(member, fact));
    return voter != draft.request.facts.end()
           && voter->second.status != model::ObservationStatus::unknown;
}

// A member of which nothing is known counts. Where that is so of all, the votes were never read.
void tell_of_unknown_votes(PlanBuilder& draft, const PlanRole& role) {
    const std::string fact = voter_fact(draft, role.name);
    if (!fact.empty()
        && std::none_of(role.members.begin(), role.members.end(), [&](const auto& member) {
               return is_vote_known(draft, fact, member);
           })) {
        draft.plan.notes.push_back(
            fmt::format("nobody knows who of role {} votes: `{}` was read of none of its members, "
                        "so each counts as a voter",
                        role.name,
                        fact));
    }
}

}  // namespace

void check_voters(PlanBuilder& draft) {
    for (const PlanRole& role : draft.plan.roles) {
        const auto votes = [&](const QuorumGroup& group) { return has_voter(draft, role, group); };
        if (role.groups.empty() || draft.procedure->kind != "rolling") {
            continue;
        }
        tell_of_unknown_votes(draft, role);
        if (std::none_of(role.groups.begin(), role.groups.end(), votes)) {
            tell_of_role(draft, role);
            continue;
        }
        for (const QuorumGroup& group : role.groups) {
            if (!votes(group)) {
                draft.plan.notes.push_back(
                    fmt::format("nobody of {} of role {} votes: no quorum is asked of it",
                                group.name,
                                role.name));
            }
        }
    }
}

}  // namespace drydock::planner
