// Passes: the procedure, and the order of the members.
#include "model/version.h"
#include "planner/compile.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::planner {

namespace {

using model::ProcedureSpec;
using model::Selection;

bool fits(const Draft& draft, const ProcedureSpec& one) {
    return one.name == draft.request.procedure
           && model::version_in_range(one.from, draft.request.from)
           && model::version_in_range(one.to, draft.request.to);
}

const Selection* first_each(const ProcedureSpec& procedure) {
    for (const model::PhaseSpec& phase : procedure.phases) {
        if (phase.each) {
            return &*phase.each;
        }
    }
    return nullptr;
}

// 0: half-way already (nothing may be stopped beside it), 1: the rest, 2: those that the pack wants
// last.
int rank(const Draft& draft, const Selection& each, const model::Member& member) {
    const auto& facts = draft.request.facts;
    const auto running = facts.find(
        model::fact_key(member.name, bound_fact(draft.request.pack, member.role, "running")));
    if (running != facts.end() && running->second.status == model::Known::absent) {
        return 0;
    }
    return !each.last.empty() && holds(draft, each.last, member.name) ? 2 : 1;
}

// Who takes over from each member: the one before it in the order that is up, else the first after
// it.
void name_successors(Draft& draft) {
    std::vector<std::string> up;
    const std::string running = bound_fact(draft.request.pack, draft.role->name, "running");
    for (const std::string& member : draft.scope.members) {
        const auto fact = draft.request.facts.find(model::fact_key(member, running));
        if (fact != draft.request.facts.end() && fact->second.status == model::Known::known) {
            up.push_back(member);
        }
    }
    for (const std::string& member : draft.scope.members) {
        const auto at = std::find(up.begin(), up.end(), member);
        if (at != up.end() && at != up.begin()) {
            draft.scope.successor[member] = *std::prev(at);
        } else if (const auto next = at == up.end() ? up.begin() : std::next(at);
                   next != up.end()) {
            draft.scope.successor[member] = *next;
        }
    }
}

}  // namespace

void choose_procedure(Draft& draft) {
    const auto& procedures = draft.request.pack.procedures;
    const auto it = std::find_if(procedures.begin(),
                                 procedures.end(),
                                 [&](const ProcedureSpec& one) { return fits(draft, one); });
    if (it == procedures.end()) {
        draft.problem({"plan.procedure",
                       fmt::format("the {} pack has no {} from {} to {}",
                                   draft.request.pack.name,
                                   draft.request.procedure,
                                   draft.request.from,
                                   draft.request.to),
                       "`drydock route` shows which hops there are",
                       ErrorClass::permanent});
        return;
    }
    draft.procedure = &*it;
    draft.plan.procedure = it->name;
    draft.plan.kind = it->kind;
    draft.plan.title = it->title;
    auto conditions = fill_conditions(draft.scope, nullptr, it->applies_while);
    if (!conditions) {
        draft.problem(conditions.error());
        return;
    }
    const model::FactView view = {
        draft.request.facts, draft.request.facts, draft.request.facts, draft.scope.members, ""};
    const model::Verdict verdict = model::evaluate_all(*conditions, view);
    if (verdict.outcome != model::Tri::yes) {
        draft.problem({"plan.closed",
                       fmt::format("{} is not open: {}", it->name, verdict.because),
                       verdict.remedy,
                       ErrorClass::permanent});
    }
}

void order_members(Draft& draft) {
    const Selection* each = first_each(*draft.procedure);
    const auto& pack = draft.request.pack;
    const std::string role_name = each != nullptr ? each->role : pack.roles.begin()->first;
    draft.role = &pack.roles.at(role_name);
    std::vector<std::pair<int, std::string>> ranked;
    for (const model::Member& member : draft.request.cluster.members) {
        if (member.role == role_name) {
            ranked.emplace_back(each != nullptr ? rank(draft, *each, member) : 1, member.name);
        }
    }
    std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    draft.scope.members.clear();
    for (const auto& [unused, name] : ranked) {
        draft.scope.members.push_back(name);
    }
    name_successors(draft);
    draft.plan.role = role_name;
    draft.plan.members = draft.scope.members;
    draft.plan.quorum = draft.role->majority ? static_cast<int>(ranked.size() / 2 + 1) : 0;
}

}  // namespace drydock::planner
