// Refuses plans in which no member of a role may ever be stopped, because the others are too few
// for its quorum.
//
// Without this pass such a plan would wait at its first stop until the guard's time is up. Two
// members with a majority of two are the usual case.
#include "model/version.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::PlanRole;

// True if a step of the procedure asks for the quorum before it handles one of the role's members.
bool asks_for_quorum(const PlanBuilder& draft, const std::string& role) {
    const auto asks = [&](const model::PhaseSpec& phase, const model::StepSpec& step) {
        const auto& selection = phase.each ? phase.each : step.on;
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
           && runs->second.value.as_string() != draft.request.to;
}

bool stops_somebody(const PlanBuilder& draft, const PlanRole& role) {
    return std::any_of(role.members.begin(), role.members.end(), [&](const auto& member) {
        return is_to_be_stopped(draft, role.name, member);
    });
}

// Returns the pack's procedures between the same releases that take an outage.
std::string outages(const PlanBuilder& draft) {
    std::string names;
    for (const model::ProcedureSpec& procedure : draft.request.pack.procedures) {
        const bool fits = model::version_in_range(procedure.from, draft.request.from)
                          && model::version_in_range(procedure.to, draft.request.to);
        if (fits && procedure.kind == "offline") {
            names += fmt::format("{}`{}`", names.empty() ? "" : ", ", procedure.name);
        }
    }
    return names;
}

Error too_few(const PlanBuilder& draft, const PlanRole& role) {
    const std::string procedures = outages(draft);
    return {"plan.quorum",
            fmt::format("role {} has {} member{} and a majority of {}: none may ever be stopped",
                        role.name,
                        role.members.size(),
                        role.members.size() == 1 ? "" : "s",
                        role.quorum),
            fmt::format("add members first: of three, one may be down; or take an outage, by {}",
                        procedures.empty() ? "hand: the pack has no procedure for that"
                                           : "the pack's " + procedures),
            ErrorClass::permanent};
}

}  // namespace

void check_quorums(PlanBuilder& draft) {
    for (const PlanRole& role : draft.plan.roles) {
        const bool is_never_met =
            role.quorum > 0 && role.quorum >= static_cast<int>(role.members.size());
        if (is_never_met && asks_for_quorum(draft, role.name) && stops_somebody(draft, role)) {
            draft.problem(too_few(draft, role));
        }
    }
}

}  // namespace drydock::planner
