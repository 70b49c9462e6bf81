// Refuses plans in which no member of a role, or of a group with a quorum of its own, may ever be
// stopped, because the others are too few.
//
// Without this pass such a plan would wait at its first stop until the guard's time is up. Two
// members with a majority of two are the usual case.
#include "planner/quorum.h"

#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace drydock::planner {

namespace {

using model::PlanRole;

// True if a step of the procedure asks for the quorum before it handles one of the role's members.
bool asks_for_quorum(const PlanBuilder& draft, const std::string& role) {
    const auto asks = [&](const model::PhaseSpec& phase, const model::StepSpec& step) {
        const auto& selection = phase.selection ? phase.selection : step.selection;
        return step.quorum_without && selection && selection->role == role;
    };
    const auto& phases = draft.procedure->phases;
    return std::any_of(phases.begin(), phases.end(), [&](const model::PhaseSpec& phase) {
        return std::any_of(phase.steps.begin(), phase.steps.end(), [&](const auto& step) {
            return asks(phase, step);
        });
    });
}

// True for a member that runs another release: it has to be stopped.
bool is_to_be_stopped(const PlanBuilder& draft,
                      const std::string& role,
                      const std::string& member) {
    const std::string fact = bound_fact(draft.request.pack, role, model::StandardFact::running);
    const auto runs = draft.request.facts.find(model::fact_key(member, fact));
    return runs != draft.request.facts.end()
           && runs->second.status == model::ObservationStatus::known
           && runs->second.value.as_string() != draft.request.to_version;
}

bool stops_any(const PlanBuilder& draft,
               const std::string& role,
               const std::vector<std::string>& members) {
    return std::any_of(members.begin(), members.end(), [&](const std::string& member) {
        return is_to_be_stopped(draft, role, member);
    });
}

// Returns the pack's procedures between the same releases that take an outage.
std::string outages(const PlanBuilder& draft) {
    std::string names;
    for (const model::ProcedureSpec& procedure : draft.request.pack.procedures) {
        const bool fits = model::version_in_range(procedure.from_range, draft.request.from_version)
                          && model::version_in_range(procedure.to_range, draft.request.to_version);
        if (fits && procedure.kind == "offline") {
            names += fmt::format("{}`{}`", names.empty() ? "" : ", ", procedure.name);
        }
    }
    return names;
}

// A quorum in words: "shard s1 of role node has 2 members".
struct Shortage {
    std::string who;
    std::size_t units = 0;
    std::string unit;  // "member", "rack"
    int needed = 0;
    model::QuorumKind kind = model::QuorumKind::none;
};

Error too_few(const PlanBuilder& draft, const Shortage& shortage) {
    const std::string procedures = outages(draft);
    const bool is_majority = shortage.kind == model::QuorumKind::majority;
    return {"plan.quorum",
            fmt::format("{} has {} {}{} and {} {}: none may ever be stopped",
                        shortage.who,
                        shortage.units,
                        shortage.unit,
                        shortage.units == 1 ? "" : "s",
                        is_majority ? "a majority of" : "must always have",
                        shortage.needed),
            fmt::format("add {}s first{}; or take an outage, by {}",
                        shortage.unit,
                        is_majority ? ": of three, one may be down" : "",
                        procedures.empty() ? "hand: the pack has no procedure for that"
                                           : "the pack's " + procedures),
            ErrorClass::permanent};
}

// Returns the shortage of a role whose quorum is a number, if all members are needed.
std::optional<Shortage> shortage_of(const PlanBuilder& draft, const PlanRole& role) {
    if (role.quorum == 0 || role.quorum < static_cast<int>(role.members.size())
        || !stops_any(draft, role.name, role.members)) {
        return std::nullopt;
    }
    return Shortage{"role " + role.name,
                    role.members.size(),
                    "member",
                    role.quorum,
                    draft.request.pack.roles.at(role.name).quorum.kind};
}

// True if a step of the procedure gives or takes votes of the role: then the number of those that
// are needed follows, and the checker finds out whether a guard can hold.
bool moves_votes(const PlanBuilder& draft, const std::string& role) {
    const std::string fact = voter_fact(draft, role);
    const auto is_vote = [&](const model::EffectSpec& effect) {
        return !fact.empty() && effect.name == fact && effect.role == role;
    };
    const auto& phases = draft.procedure->phases;
    return std::any_of(phases.begin(), phases.end(), [&](const model::PhaseSpec& phase) {
        return std::any_of(phase.steps.begin(), phase.steps.end(), [&](const auto& step) {
            return std::any_of(step.effects.begin(), step.effects.end(), is_vote);
        });
    });
}

// Returns the shortage of a group, if all its units are needed and one of them has to go down.
std::optional<Shortage>
shortage_of(const PlanBuilder& draft, const PlanRole& role, const model::QuorumGroup& group) {
    const Units units = units_of(draft, role.name, group);
    const int needed = needed_of(group, units.size());
    const bool is_any_stopped = std::any_of(units.begin(), units.end(), [&](const auto& unit) {
        return stops_any(draft, role.name, unit.second);
    });
    if (needed <= 0 || needed < static_cast<int>(units.size()) || !is_any_stopped
        || moves_votes(draft, role.name)) {
        return std::nullopt;
    }
    const auto& rule = draft.request.pack.roles.at(role.name).quorum;
    const std::string member = voter_fact(draft, role.name).empty() ? "member" : "voter";
    return Shortage{
        fmt::format("{}role {}", group.name.empty() ? "" : group.name + " of ", role.name),
        units.size(),
        rule.domains.empty() ? member : rule.domains,
        needed,
        group.kind};
}

}  // namespace

void check_quorums(PlanBuilder& draft) {
    for (const PlanRole& role : draft.plan.roles) {
        if (!asks_for_quorum(draft, role.name)) {
            continue;
        }
        if (const auto shortage = shortage_of(draft, role)) {
            draft.problem(too_few(draft, *shortage));
        }
        for (const model::QuorumGroup& group : role.groups) {
            if (const auto shortage = shortage_of(draft, role, group)) {
                draft.problem(too_few(draft, *shortage));
            }
        }
    }
}

}  // namespace drydock::planner
