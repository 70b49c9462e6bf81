// The compiler: a list of passes over one plan builder.
//
// A plan is compiled from any state of the cluster, forward or back, by the same passes. Each pass
// may refuse the plan with as many problems as it finds; the compiler stops behind the first pass
// that did, so that a later pass can rely on the work of those before it. A pack with sides is
// split into plain roles first.
#include "planner/compile.h"

#include "model/version.h"
#include "planner/rehearsal.h"
#include "planner/sides.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

namespace {

// Fills in everything that the request alone decides. Every role gets a list of members, also an
// empty one: a condition on its members then holds.
void start_plan(PlanBuilder& draft) {
    const Request& request = draft.request;
    model::Plan& plan = draft.plan;
    plan.run = request.run;
    plan.cluster = request.cluster.name;
    plan.cluster_file = request.cluster.file;
    plan.state_dir = request.cluster.state_dir;
    plan.system = request.pack.name;
    plan.pack_digest = request.pack.digest;
    plan.from_version = request.from_version;
    plan.to_version = request.to_version;
    plan.route = {request.from_version, request.to_version};
    plan.on_failure = request.cluster.policy.on_failure;
    plan.reverts_run = request.reverts_run;
    plan.secrets = request.cluster.secrets;
    plan.hosts = request.cluster.hosts;
    for (const model::Member& member : request.cluster.members) {
        plan.member_hosts.emplace(member.name, member.host);
        draft.scope.members[member.role].push_back(member.name);
    }
    for (const auto& [name, unused] : request.pack.roles) {
        draft.scope.members[name];
    }
}

// Takes the sources of the request, or binds them.
void bind(PlanBuilder& draft) {
    if (draft.request.sources != nullptr) {
        draft.sources = draft.request.sources;
        return;
    }
    auto sources = bind_sources(draft.request.pack,
                                draft.request.cluster,
                                {draft.request.from_version,
                                 draft.request.to_version,
                                 draft.request.run,
                                 draft.request.copy});
    if (!sources) {
        draft.problem(sources.error());
        return;
    }
    draft.own_sources = std::move(*sources);
    draft.sources = &draft.own_sources;
}

// Refuses members that neither run nor would start one of the hop's two releases. Such a cluster
// needs another plan.
void check_versions(PlanBuilder& draft) {
    const Request& request = draft.request;
    for (const model::Member& member : request.cluster.members) {
        for (const auto standard : {model::StandardFact::running, model::StandardFact::installed}) {
            const std::string fact = bound_fact(request.pack, member.role, standard);
            if (fact.empty()) {
                continue;
            }
            const std::string key = model::fact_key(member.name, fact);
            const auto entry = request.facts.find(key);
            if (entry == request.facts.end()
                || entry->second.status == model::ObservationStatus::unknown) {
                draft.problem({"plan.unknown",
                               fmt::format("{} cannot be told: {}",
                                           key,
                                           entry == request.facts.end() ? "was not read"
                                                                        : entry->second.evidence),
                               "see that the member answers or is down for good (drydock survey), "
                               "then plan again",
                               ErrorClass::transient});
                continue;
            }
            const std::string version = entry->second.value.as_string();
            if (entry->second.status == model::ObservationStatus::known
                && version != request.from_version && version != request.to_version) {
                draft.problem(
                    {"plan.version",
                     fmt::format("{} is {}, which is neither {} nor {}",
                                 key,
                                 version,
                                 request.from_version,
                                 request.to_version),
                     "bring the members to one of the two, or plan for the version that is there",
                     ErrorClass::permanent});
            }
        }
    }
}

using Pass = void (*)(PlanBuilder&);

// The list is the specification: each pass may rely on the passes before it.
constexpr Pass k_passes[] = {
    start_plan,
    bind,
    check_versions,
    choose_procedure,
    check_identities,  // needs the procedure's kind
    order_members,     // needs the procedure's phases
    check_voters,      // needs the roles' groups
    check_quorums,     // needs the roles' sizes
    expand,            // needs the order
    check_rehearsal,   // needs all actions, like the next
    drop_completed_steps,
    add_starts_at_end,    // needs the steps that are left
    add_stores,           // needs the actions
    check_values,         // needs the stores
    place_return_point,   // needs the actions and their order, and the stores' rules
    add_standing_guards,  // after the gate, so that its actions are guarded too
    add_risks,
    add_ways_back,
    add_rehearsal,  // needs the ways back
    add_temporaries,
    bind_facts,  // last: binds every fact that a condition looks at by now
};

}  // namespace

bool is_way_back(const PlanBuilder& draft) {
    const std::string& name = draft.procedure->name;
    return name == model::k_downgrade || name == model::k_rebuild || name == model::k_restore;
}

std::string
bound_fact(const model::Pack& pack, const std::string& role, model::StandardFact standard) {
    for (const model::FactSpec& spec : pack.facts) {
        if (spec.standard_fact == standard && spec.role == role) {
            return spec.name;
        }
    }
    return {};
}

std::optional<Json> surveyed(const PlanBuilder& draft, const std::string& key) {
    const auto fact = draft.request.facts.find(key);
    if (fact == draft.request.facts.end()
        || fact->second.status == model::ObservationStatus::unknown) {
        return std::nullopt;
    }
    return fact->second.status == model::ObservationStatus::known ? fact->second.value : Json();
}

model::ObservationStatus
found_running(const PlanBuilder& draft, const std::string& role, const std::string& member) {
    const std::string fact = bound_fact(draft.request.pack, role, model::StandardFact::running);
    const auto running = draft.request.facts.find(model::fact_key(member, fact));
    return running == draft.request.facts.end() ? model::ObservationStatus::unknown
                                                : running->second.status;
}

std::string fact_of_kind(const model::Pack& pack, const std::string& role, std::string_view kind) {
    for (const model::FactSpec& spec : pack.facts) {
        if (spec.kind == kind && spec.role == role) {
            return spec.name;
        }
    }
    return {};
}

std::vector<std::string>
members_on(const PlanBuilder& draft, const std::string& role, const std::string& host) {
    std::vector<std::string> names = draft.scope.members.at(role);
    std::erase_if(names, [&](const std::string& name) {
        return find_member(draft.request.cluster, name)->host != host;
    });
    return names;
}

// Surveyed facts serve as all three readings: at planning time there is only one.
bool holds(const PlanBuilder& draft,
           const std::vector<model::Condition>& conditions,
           const std::string& member) {
    const model::FactView view = {
        draft.request.facts, draft.request.facts, draft.request.facts, draft.scope.members, member};
    return model::evaluate_all(conditions, view).outcome == model::Truth::yes;
}

namespace {

Compiled compile_roles(const Request& request) {
    PlanBuilder draft = {request,
                         nullptr,
                         {request.pack,
                          request.cluster,
                          request.facts,
                          request.from_version,
                          request.to_version,
                          request.run,
                          request.copy,
                          {},
                          {}},
                         {},
                         {}};
    for (const Pass pass : k_passes) {
        pass(draft);
        if (!draft.problems.empty()) {
            return {std::nullopt, std::move(draft.problems)};
        }
    }
    return {std::move(draft.plan), {}};
}

}  // namespace

Compiled compile(const Request& request) {
    if (!has_sides(request.pack)) {
        return compile_roles(request);
    }
    const auto split = split_sides(request);
    if (!split) {
        return {std::nullopt, {split.error()}};
    }
    return compile_roles({split->pack,
                          split->cluster,
                          request.facts,
                          request.procedure,
                          request.from_version,
                          request.to_version,
                          request.run,
                          request.copy,
                          request.reverts_run,
                          request.return_point_hint,
                          request.sources,
                          request.keeps_survey,
                          request.temporaries});
}

}  // namespace drydock::planner
