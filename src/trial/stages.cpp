// Runs the stages of a twin one after the other, and words what stopped it.
#include "trial/stages.h"

#include "base/text.h"
#include "model/version.h"
#include "planner/planner.h"
#include "run/expected_facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::trial {

namespace {

using model::Action;
using model::Plan;
using model::Truth;
using model::Verb;

constexpr const char* k_run = "run";  // the id of a run that never begins

void name_policies(const model::Pack& pack, Stop& stop) {
    const std::string told = stop.told();
    for (const model::RoutePolicy& policy : pack.policies) {
        if (told.find(policy.source) != std::string::npos) {
            stop.names.emplace_back(model::name_of(policy.rule));
        }
    }
    if (stop.names.empty()) {
        stop.names.emplace_back("procedure");
    }
}

// The route must be one hop: a plan is made for one at a time.
Stop route_stop(const Twin& twin) {
    const auto route =
        planner::find_route(twin.pack, twin.cluster, twin.from, twin.to, {{}, &twin.facts});
    if (route && route->hops.size() == 1) {
        return {};
    }
    Stop stop = {Stage::route, {}, {}};
    if (!route) {
        stop.lines.push_back(route.error().text());
    } else if (route->hops.empty()) {
        stop.lines.push_back(fmt::format("the cluster is on {} already", twin.to));
    } else {
        for (const planner::Hop& hop : route->hops) {
            stop.lines.push_back(fmt::format("{} -> {}", hop.from_version, hop.to_version));
        }
        stop.lines.insert(stop.lines.end(), route->forbidden.begin(), route->forbidden.end());
    }
    name_policies(twin.pack, stop);
    return stop;
}

std::string name_of_problem(const Error& problem, const model::Pack& pack) {
    for (const model::Risk& risk : pack.risks) {
        if (problem.message.starts_with("known risk " + risk.id + " ")) {
            return risk.id;
        }
    }
    return problem.code;
}

Stop refusal(const std::vector<Error>& problems, const model::Pack& pack) {
    Stop stop = {Stage::preflight, {}, {}};
    for (const Error& problem : problems) {
        stop.names.push_back(name_of_problem(problem, pack));
        stop.lines.push_back(problem.text());
    }
    return stop;
}

bool acts(const Action& action) {
    return !action.request.is_null() || action.is_gate();
}

// What the plan requires before its first step that acts, on the facts that it was made from.
Stop requirement_stop(const Plan& plan, const Twin& twin) {
    Stop stop;
    const model::Roster up = run::members_up(plan, run::State(plan.actions.size()));
    for (const Action& action : plan.actions) {
        if (acts(action)) {
            break;
        }
        const model::FactView view = {twin.facts, twin.facts, plan.bound_facts, up, action.member};
        const auto verdict = model::evaluate_all(action.preconditions, view);
        if (action.verb == Verb::require && verdict.outcome != Truth::yes) {
            stop.stage = Stage::preflight;
            stop.names.push_back(action.id.substr(action.id.rfind('/') + 1));
            stop.lines.push_back(fmt::format(
                "{}: {}; {}; {}", action.title, verdict.because, action.rationale, action.remedy));
        }
    }
    return stop;
}

std::string_view procedure_of(const Twin& twin) {
    return model::compare_versions(twin.from, twin.to) > 0 ? model::k_downgrade : model::k_upgrade;
}

planner::Compiled compile(const Twin& twin,
                          const std::optional<model::ReturnPointHint>& closing = {}) {
    return planner::compile({twin.pack,
                             twin.cluster,
                             twin.facts,
                             std::string(procedure_of(twin)),
                             twin.from,
                             twin.to,
                             k_run,
                             "",
                             "",
                             closing});
}

// As `drydock downgrade` compiles it, from what is there at that moment.
Result<Plan> way_back(const Twin& twin, const model::FactBook& modelled) {
    const model::FactBook facts = planner::with_services(twin.pack, twin.cluster, modelled);
    auto compiled = planner::compile({twin.pack,
                                      twin.cluster,
                                      facts,
                                      std::string(model::k_downgrade),
                                      twin.to,
                                      twin.from,
                                      "back",
                                      "",
                                      k_run});
    return compiled.plan ? Result<Plan>(std::move(*compiled.plan))
                         : tl::unexpected(compiled.problems.front());
}

void tell_violation(const checker::Violation& violation, Stop& stop) {
    const std::string name(name_of(violation.property));
    stop.names.push_back(name);
    stop.lines.push_back(fmt::format("{}: {}", name, violation.because));
    std::size_t number = 0;
    for (const checker::TraceStep& step : violation.story) {
        if (!step.text.empty()) {
            stop.lines.push_back(fmt::format("{:3}. {}", ++number, step.text));
        }
    }
    if (!violation.source.empty()) {
        stop.lines.push_back(fmt::format("see {} ({})", violation.source, violation.action));
    }
    stop.lines.push_back(fmt::format("what to change: {}", violation.hint));
}

Stop check_stop(const checker::Report& report) {
    if (report.verdict == checker::Verdict::holds) {
        return {};
    }
    Stop stop = {Stage::check, {}, {}};
    for (const checker::Violation& violation : report.violations) {
        tell_violation(violation, stop);
    }
    if (report.verdict == checker::Verdict::unfinished) {
        stop.names.emplace_back(name_of(report.verdict));
        stop.lines.push_back(fmt::format("stopped at {} states", report.states));
    }
    return stop;
}

checker::Report check_once(const Plan& plan, const Twin& twin) {
    checker::Options options;
    options.faults = {1, 1, 1, 1, 1};
    const auto& ways = plan.ways_back;
    if (std::any_of(ways.begin(), ways.end(), [](const auto& way) {
            return way.kind == model::RecoveryKind::downgrade;
        })) {
        options.compile_downgrade = [&](const model::FactBook& facts) {
            return way_back(twin, facts);
        };
    }
    return checker::check(plan, options);
}

// As `plan` does: with the gate where the way back really closes.
CheckedPlan check_with_gate(Plan plan, const Twin& twin) {
    checker::Report report = check_once(plan, twin);
    auto again = report.return_point_hint ? compile(twin, report.return_point_hint)
                                          : planner::Compiled{std::nullopt, {}};
    if (!again.plan) {
        return {std::move(plan), std::move(report)};
    }
    report = check_once(*again.plan, twin);
    return {std::move(*again.plan), std::move(report)};
}

}  // namespace

std::string Stop::told() const {
    return join(lines, "\n");
}

Staged take_through_stages(Twin twin) {
    if (Stop stop = route_stop(twin); stop.is_there()) {
        return {std::move(stop), {}};
    }
    if (const Status read = survey_for_plan(twin); !read) {
        return {refusal({read.error()}, twin.pack), {}};
    }
    auto compiled = compile(twin);
    if (!compiled.plan) {
        return {refusal(compiled.problems, twin.pack), {}};
    }
    if (Stop stop = requirement_stop(*compiled.plan, twin); stop.is_there()) {
        return {std::move(stop), {}};
    }
    CheckedPlan checked = check_with_gate(std::move(*compiled.plan), twin);
    Stop stop = check_stop(checked.report);
    return {std::move(stop), std::move(checked)};
}

}  // namespace drydock::trial
