#include "known/stages.h"

#include "checker/checker.h"
#include "model/version.h"
#include "planner/planner.h"
#include "run/expected_facts.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::known {

namespace {

using model::Action;
using model::Plan;
using model::Truth;
using model::Verb;

// The route must be one hop: a plan is made for one at a time.
Stop route_stop(const Twin& twin) {
    const auto route = planner::find_route(twin.pack, twin.cluster, twin.from, twin.to);
    if (route && route->hops.size() == 1) {
        return {};
    }
    Stop stop = {"route", {}, route ? "" : route.error().text()};
    if (route) {
        for (const planner::Hop& hop : route->hops) {
            stop.told += fmt::format("{} -> {}; ", hop.from, hop.to);
        }
        stop.told += fmt::format("{}", fmt::join(route->forbidden, "; "));
    }
    for (const model::RoutePolicy& policy : twin.pack.policies) {
        if (stop.told.find(policy.source) != std::string::npos) {
            stop.names.emplace_back(model::name_of(policy.rule));
        }
    }
    if (stop.names.empty()) {
        stop.names.emplace_back("procedure");
    }
    return stop;
}

std::string name_of_problem(const Error& problem, const model::Pack& pack) {
    for (const model::Risk& risk : pack.risks) {
        if (problem.message.rfind("known risk " + risk.id + " ", 0) == 0) {
            return risk.id;
        }
    }
    return problem.code;
}

Stop refusal(const std::vector<Error>& problems, const model::Pack& pack) {
    Stop stop = {"preflight", {}, {}};
    for (const Error& problem : problems) {
        stop.names.push_back(name_of_problem(problem, pack));
        stop.told += problem.text() + "\n";
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
        const model::FactView view = {twin.facts, twin.facts, plan.planned, up, action.member};
        const auto verdict = model::evaluate_all(action.guard, view);
        if (action.verb == Verb::require && verdict.outcome != Truth::yes) {
            stop.stage = "preflight";
            stop.names.push_back(action.id.substr(action.id.rfind('/') + 1));
            stop.told += fmt::format(
                "{}: {}; {}; {}\n", action.title, verdict.because, action.why, action.remedy);
        }
    }
    return stop;
}

std::string procedure_of(const Twin& twin) {
    return model::compare_versions(twin.from, twin.to) > 0 ? "downgrade" : "upgrade";
}

planner::Compiled compile(const Twin& twin,
                          const std::optional<model::ReturnPointHint>& closing = {}) {
    return planner::compile({twin.pack,
                             twin.cluster,
                             twin.facts,
                             procedure_of(twin),
                             twin.from,
                             twin.to,
                             "run",
                             "",
                             "",
                             closing});
}

// As `drydock downgrade` compiles it, from what is there at that moment.
Result<Plan> way_back(const Twin& twin, const model::FactBook& facts) {
    auto compiled = planner::compile(
        {twin.pack, twin.cluster, facts, "downgrade", twin.to, twin.from, "back", "", "run"});
    return compiled.plan ? Result<Plan>(std::move(*compiled.plan))
                         : tl::unexpected(compiled.problems.front());
}

Stop violations(const checker::Report& report) {
    if (report.verdict == checker::Verdict::holds) {
        return {};
    }
    Stop stop = {"check", {}, std::string(name_of(report.verdict)) + "\n"};
    for (const checker::Violation& violation : report.violations) {
        stop.names.emplace_back(name_of(violation.property));
        stop.told += fmt::format("{}: {}\n", stop.names.back(), violation.because);
        for (const checker::TraceStep& step : violation.story) {
            stop.told += step.text.empty() ? "" : "  " + step.text + "\n";
        }
        stop.told +=
            fmt::format("{} ({}): {}\n", violation.action, violation.source, violation.hint);
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
        options.back = [&](const model::FactBook& facts) { return way_back(twin, facts); };
    }
    return checker::check(plan, options);
}

// As `plan` does: with the gate where the way back really closes.
CheckedPlan check_with_gate(Plan plan, const Twin& twin) {
    checker::Report report = check_once(plan, twin);
    auto again = report.moved ? compile(twin, report.moved) : planner::Compiled{std::nullopt, {}};
    if (!again.plan) {
        return {std::move(plan), std::move(report)};
    }
    report = check_once(*again.plan, twin);
    return {std::move(*again.plan), std::move(report)};
}

}  // namespace

Stop first_stop(Twin twin) {
    if (Stop stop = route_stop(twin); !stop.stage.empty()) {
        return stop;
    }
    if (const Status read = survey_for_plan(twin); !read) {
        return refusal({read.error()}, twin.pack);
    }
    auto compiled = compile(twin);
    if (!compiled.plan) {
        return refusal(compiled.problems, twin.pack);
    }
    if (Stop stop = requirement_stop(*compiled.plan, twin); !stop.stage.empty()) {
        return stop;
    }
    return violations(check_with_gate(std::move(*compiled.plan), twin).report);
}

Result<CheckedPlan> check(Twin twin) {
    DRYDOCK_TRY(survey_for_plan(twin));
    auto compiled = compile(twin);
    if (!compiled.plan) {
        return tl::unexpected(compiled.problems.front());
    }
    return check_with_gate(std::move(*compiled.plan), twin);
}

}  // namespace drydock::known
