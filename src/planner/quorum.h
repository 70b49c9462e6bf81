// Quorums: how many members of a role must be ready at any time, in the words of a plan.
//
// A quorum that is one number of members stays a number. Every other quorum is a list of groups:
// for each value of a label, by domains, or with voters. What a group counts are its units: a
// member, or all members with one value of the domain's label. A unit is ready if all its members
// are that vote.
#pragma once

#include "planner/compile.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::planner {

// Writes the pack's quorum into a role of the plan: `quorum` or `groups`. The role has its members
// already. A problem names the members that lack a label.
void add_quorum(PlanBuilder& draft, model::PlanRole& role);

using Votes = std::map<std::string, bool>;
// The voting members of each unit of a group, behind the steps made so far.
using Units = std::map<std::string, std::vector<std::string>>;
[[nodiscard]] Units
units_of(const PlanBuilder& draft, const std::string& role, const model::QuorumGroup& group);
// Returns the same where steps have moved these votes.
[[nodiscard]] Units units_of(const PlanBuilder& draft,
                             const std::string& role,
                             const model::QuorumGroup& group,
                             const Votes& moved);
// Returns how many units of a group must be ready; <= 0: none.
[[nodiscard]] int needed_of(const model::QuorumGroup& group, std::size_t units);
// Returns the role's fact that tells who votes; empty: everybody does.
[[nodiscard]] std::string voter_fact(const PlanBuilder& draft, const std::string& role);
// True if the member votes behind the steps made so far. A member of which nothing is known does.
[[nodiscard]] bool
votes(const PlanBuilder& draft, const std::string& role, const std::string& member);

// Returns the same where steps have moved these votes.
[[nodiscard]] bool votes(const PlanBuilder& draft,
                         const std::string& role,
                         const std::string& member,
                         const Votes& moved);
// Notes who votes, or does not any more, by the effects of the action.
void note_votes(const PlanBuilder& draft, const model::Action& action, Votes& votes);

// Returns the conditions that enough members are ready without this one, or without all of its role
// on its host. One is about the quorum (or about each of its groups), and about the operator's
// `max_unavailable`. A member whose vote the action takes away does not count for them any more:
// the quorum is that of the voters who are left.
[[nodiscard]] std::vector<model::Condition> quorum_guards(const PlanBuilder& draft,
                                                          const model::Member& member,
                                                          model::Reach reach,
                                                          const model::Action& action);

}  // namespace drydock::planner
