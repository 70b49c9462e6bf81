// Passes: choose the procedure, and put the members in order.
//
// The order of the members is part of the plan. It decides which member is down at which time, and
// which member takes over from another. In a phase whose steps of one member stay together, members
// that are down come first: half-way as they are, they are finished before another is stopped.
// Members that the pack wants last come last, such as a leader.
#include "model/version.h"
#include "planner/compile.h"
#include "planner/quorum.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::ProcedureSpec;
using model::Selection;

bool fits(const PlanBuilder& draft, const ProcedureSpec& procedure) {
    return procedure.name == draft.request.procedure
           && model::version_in_range(procedure.from_range, draft.request.from_version)
           && model::version_in_range(procedure.to_range, draft.request.to_version);
}

// Returns the procedure's first selection of each role, in the order in which it meets the roles.
std::vector<const Selection*> first_selections(const ProcedureSpec& procedure) {
    std::vector<const Selection*> first;
    const auto meet = [&](const std::optional<Selection>& selection) {
        const bool is_listed =
            !selection || selection->role.empty()
            || std::any_of(first.begin(), first.end(), [&](const Selection* earlier) {
                   return earlier->role == selection->role;
               });
        if (!is_listed) {
            first.push_back(&*selection);
        }
    };
    // Phases with `each` say in which order members are handled; single steps only say which
    // members.
    for (const model::PhaseSpec& phase : procedure.phases) {
        meet(phase.selection);
    }
    for (const model::PhaseSpec& phase : procedure.phases) {
        for (const model::StepSpec& step : phase.steps) {
            meet(step.selection);
        }
    }
    return first;
}

// Names the successor of each member: the running member before it in the order, else the first one
// after it.
void name_successors(PlanBuilder& draft, const model::PlanRole& role) {
    std::vector<std::string> running_members;
    const std::string running =
        bound_fact(draft.request.pack, role.name, model::StandardFact::running);
    for (const std::string& member : role.members) {
        const auto fact = draft.request.facts.find(model::fact_key(member, running));
        if (fact != draft.request.facts.end()
            && fact->second.status == model::ObservationStatus::known) {
            running_members.push_back(member);
        }
    }
    for (const std::string& member : role.members) {
        const auto position = std::find(running_members.begin(), running_members.end(), member);
        if (position != running_members.end() && position != running_members.begin()) {
            draft.scope.successor[member] = *std::prev(position);
        } else if (const auto next = position == running_members.end() ? running_members.begin()
                                                                       : std::next(position);
                   next != running_members.end()) {
            draft.scope.successor[member] = *next;
        }
    }
}

// Adds what the pack says of members that start by themselves or depend on each other.
void add_laws_of_role(const model::RoleSpec& spec, model::PlanRole& role) {
    role.restarts = spec.restarts;
    role.ready_with = spec.ready_with;
    if (spec.ready_with_majority && !role.members.empty()) {
        role.ready_with = static_cast<int>(role.members.size() / 2 + 1);
    }
}

// Adds a role with its members by rank; equal ranks keep the order of the cluster file.
void add_role(PlanBuilder& draft, const std::string& name, const Selection& selection) {
    std::vector<std::pair<int, std::string>> ranked;
    for (const model::Member& member : draft.request.cluster.members) {
        if (member.role == name) {
            ranked.emplace_back(rank(draft, selection, member), member.name);
        }
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    model::PlanRole role;
    role.name = name;
    for (const auto& [unused, member] : ranked) {
        role.members.push_back(member);
    }
    add_quorum(draft, role);
    add_laws_of_role(draft.request.pack.roles.at(name), role);
    draft.scope.members[name] = role.members;
    name_successors(draft, role);
    draft.plan.roles.push_back(std::move(role));
}

}  // namespace

int rank(const PlanBuilder& draft, const Selection& selection, const model::Member& member) {
    const auto& facts = draft.request.facts;
    const auto running = facts.find(model::fact_key(
        member.name, bound_fact(draft.request.pack, member.role, model::StandardFact::running)));
    if (selection.blocks && running != facts.end()
        && running->second.status == model::ObservationStatus::absent) {
        return 0;
    }
    return !selection.last.empty() && holds(draft, selection.last, member.name) ? 2 : 1;
}

// Chooses the first procedure that fits. Its own conditions may still refuse the plan.
void choose_procedure(PlanBuilder& draft) {
    const auto& procedures = draft.request.pack.procedures;
    const auto position =
        std::find_if(procedures.begin(), procedures.end(), [&](const ProcedureSpec& procedure) {
            return fits(draft, procedure);
        });
    if (position == procedures.end()) {
        draft.problem({"plan.procedure",
                       fmt::format("the {} pack has no {} from {} to {}",
                                   draft.request.pack.name,
                                   draft.request.procedure,
                                   draft.request.from_version,
                                   draft.request.to_version),
                       "`drydock route` shows which hops there are",
                       ErrorClass::permanent});
        return;
    }
    draft.procedure = &*position;
    draft.plan.procedure = position->name;
    draft.plan.kind = position->kind;
    draft.plan.title = position->title;
    auto conditions = fill_conditions(draft.scope, nullptr, position->applies_while);
    if (!conditions) {
        draft.problem(conditions.error());
        return;
    }
    const model::FactView view = {
        draft.request.facts, draft.request.facts, draft.request.facts, draft.scope.members, ""};
    const model::Verdict verdict = model::evaluate_all(*conditions, view);
    if (verdict.outcome != model::Truth::yes) {
        draft.problem({"plan.closed",
                       fmt::format("{} is not open: {}", position->name, verdict.because),
                       verdict.remedy,
                       ErrorClass::permanent});
    }
}

// Roles that the procedure does not touch come last, in order of their names.
void order_members(PlanBuilder& draft) {
    static const Selection k_untouched;
    for (const Selection* selection : first_selections(*draft.procedure)) {
        add_role(draft, selection->role, *selection);
    }
    for (const auto& [name, unused] : draft.request.pack.roles) {
        const auto& roles = draft.plan.roles;
        const bool is_listed =
            std::any_of(roles.begin(), roles.end(), [&, &role_name = name](auto& role) {
                return role.name == role_name;
            });
        if (!is_listed) {
            add_role(draft, name, k_untouched);
        }
    }
}

}  // namespace drydock::planner
