// Turns a pack's quorum into a number or into groups.
//
// A number serves as long as every member counts, and counts the same. Voters join and leave while
// a plan runs, so that a role with voters has groups, too: the number of those that must be ready
// follows them.
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::PlanRole;
using model::QuorumGroup;
using model::QuorumKind;
using model::QuorumRule;

// Returns the member's value of a label; a problem if it has none.
std::string label_of(PlanBuilder& draft, const std::string& member, const std::string& label) {
    const auto& labels = find_member(draft.request.cluster, member)->labels;
    const auto entry = labels.find(label);
    if (entry != labels.end()) {
        return entry->second;
    }
    draft.problem(
        {"plan.label",
         fmt::format("{} has no label `{}`, which its role's quorum asks for", member, label),
         fmt::format("give it to the member or to its host: `labels: {{{}: ...}}`", label),
         ErrorClass::permanent});
    return {};
}

// Splits the members by the values of `within`; without that label there is one group.
std::vector<QuorumGroup>
groups_of(PlanBuilder& draft, const PlanRole& role, const QuorumRule& rule) {
    std::map<std::string, QuorumGroup> groups;
    for (const std::string& member : role.members) {
        const std::string value = rule.within.empty() ? "" : label_of(draft, member, rule.within);
        QuorumGroup& group = groups[value];
        group.name = rule.within.empty() ? "" : rule.within + " " + value;
        group.kind = rule.kind;
        group.count = rule.count;
        group.members.push_back(member);
        if (!rule.domains.empty()) {
            group.domains.push_back(label_of(draft, member, rule.domains));
        }
    }
    std::vector<QuorumGroup> list;
    list.reserve(groups.size());
    for (auto& [value, group] : groups) {
        list.push_back(std::move(group));
    }
    return list;
}

}  // namespace

std::string voter_fact(const PlanBuilder& draft, const std::string& role) {
    return bound_fact(draft.request.pack, role, model::StandardFact::voter);
}

bool votes(const PlanBuilder& draft, const std::string& role, const std::string& member) {
    return votes(draft, role, member, draft.votes);
}

bool votes(const PlanBuilder& draft,
           const std::string& role,
           const std::string& member,
           const Votes& moved) {
    const std::string fact = voter_fact(draft, role);
    if (fact.empty()) {
        return true;
    }
    if (const auto vote = moved.find(member); vote != moved.end()) {
        return vote->second;
    }
    const auto voter = draft.request.facts.find(model::fact_key(member, fact));
    return voter == draft.request.facts.end()
           || voter->second.status == model::ObservationStatus::unknown
           || voter->second.value == Json(true);
}

void note_votes(const PlanBuilder& draft, const model::Action& action, Votes& votes) {
    for (const model::Effect& effect : action.effects) {
        if (effect.kind != model::EffectKind::becomes
            || !(effect.value.is_bool() || effect.value.is_null())) {
            continue;
        }
        const model::Member* member = find_member(draft.request.cluster, effect.member);
        if (member != nullptr && effect.name == voter_fact(draft, member->role)) {
            votes[effect.member] = effect.value == Json(true);
        }
    }
}

Units units_of(const PlanBuilder& draft, const std::string& role, const QuorumGroup& group) {
    return units_of(draft, role, group, draft.votes);
}

Units units_of(const PlanBuilder& draft,
               const std::string& role,
               const QuorumGroup& group,
               const Votes& moved) {
    Units units;
    for (std::size_t i = 0; i < group.members.size(); ++i) {
        const std::string& member = group.members[i];
        if (votes(draft, role, member, moved)) {
            units[group.domains.empty() ? member : group.domains[i]].push_back(member);
        }
    }
    return units;
}

int needed_of(const QuorumGroup& group, std::size_t units) {
    const int count = static_cast<int>(units);
    switch (group.kind) {
    case QuorumKind::none:
        return 0;
    case QuorumKind::majority:
        return count == 0 ? 0 : count / 2 + 1;
    case QuorumKind::at_least:
        return group.count;
    case QuorumKind::all_but:
        return count - group.count;
    }
    return 0;
}

void add_quorum(PlanBuilder& draft, PlanRole& role) {
    const QuorumRule& rule = draft.request.pack.roles.at(role.name).quorum;
    if (rule.kind == QuorumKind::none || role.members.empty()) {
        return;
    }
    const bool is_number =
        rule.within.empty() && rule.domains.empty() && voter_fact(draft, role.name).empty();
    auto groups = groups_of(draft, role, rule);
    if (is_number) {
        role.quorum = std::max(needed_of(groups.front(), role.members.size()), 0);
    } else {
        role.groups = std::move(groups);
    }
}

}  // namespace drydock::planner
