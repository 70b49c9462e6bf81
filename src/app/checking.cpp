// Checks of plans: the checker's input from the project, and the verdict that is stored with a
// plan.
//
// `plan` and `apply` must answer in about a second, so they run a quick check: a list of fault
// budgets from large to small, each within a small memory. The first check that ends is the
// verdict. A stopped check has no verdict, and `apply` refuses its plan.
// docs/design/0004-the-checker.md has the reasons; docs/design/0007-trust.md says why `apply`
// repeats the check.
#include "app/internal.h"
#include "base/text.h"
#include "os/clock.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace drydock::app {

namespace {

// The budgets of the quick check, from the wish for every plan to what even a very large plan
// allows: failures, unknown outcomes, conductor deaths, member crashes, lost hosts.
constexpr checker::Faults k_small_faults[] = {
    {1, 1, 1, 1, 0}, {1, 0, 1, 1, 0}, {1, 0, 1, 0, 0}, {1, 0, 0, 0, 0}, {0, 0, 0, 0, 0}};
constexpr std::size_t k_soon_bytes = std::size_t{48} << 20U;
constexpr std::size_t k_quick_worlds = 300;

// The compiler of downgrades that the checker calls in each state, or the reason why there is none.
struct DowngradeCompiler {
    checker::CompileDowngrade compile;
    std::string why_not;
};

bool has_downgrade(const model::Plan& plan) {
    return std::any_of(plan.ways_back.begin(), plan.ways_back.end(), [](const auto& way) {
        return way.kind == model::RecoveryKind::downgrade;
    });
}

// Returns a run id for downgrades that are only compiled and never run.
std::string run_back(const model::Plan& plan) {
    return plan.run + "-back";
}

// Compiles the downgrade from the facts of one modelled state, as `drydock downgrade` would do
// there.
Result<model::Plan> compile_back(const Project& project,
                                 const model::FactSources& sources,
                                 const model::Plan& plan,
                                 const model::FactBook& facts) {
    auto compiled = planner::compile({project.pack,
                                      project.cluster,
                                      facts,
                                      std::string(model::k_downgrade),
                                      plan.to_version,
                                      plan.from_version,
                                      run_back(plan),
                                      "",
                                      plan.run,
                                      {},
                                      &sources,
                                      false,
                                      &plan.temporaries});
    if (!compiled.plan) {
        return tl::unexpected(compiled.problems.front());
    }
    return std::move(*compiled.plan);
}

// Returns the first problem of a project, for the one line that a report has for it.
std::string reason_of(const Failure& failure, const std::string& file) {
    if (!failure.errors.empty()) {
        return failure.errors.front().message;
    }
    const auto& diagnostics = failure.diagnostics.all();
    return diagnostics.empty() ? fmt::format("{} cannot be read", file)
                               : diagnostics.front().text();
}

// Reads the cluster file and pack of the plan. A pack that has changed since is refused, because
// its downgrade would be another one than the plan's author saw.
Result<Project> project_of(const Options& options, const model::Plan& plan) {
    Options plan_options = options;
    plan_options.cluster_file = plan.cluster_file;
    auto project = open_project(plan_options);
    if (!project) {
        return fail("check.project", reason_of(project.error(), plan.cluster_file));
    }
    if (project->pack.digest != plan.pack_digest) {
        return fail("check.project", "the pack has changed since the plan was made");
    }
    return std::move(*project);
}

// A missing downgrade does not stop the check. It becomes a line of the report's limits, so that
// the verdict does not claim more than was explored.
DowngradeCompiler back_of(const Options& options, const model::Plan& plan) {
    if (!has_downgrade(plan)) {
        return {{}, "ways back: the plan names no downgrade"};
    }
    auto project = project_of(options, plan);
    if (!project) {
        return {{}, "ways back: " + project.error().message};
    }
    auto sources = planner::bind_sources(
        project->pack, project->cluster, {plan.to_version, plan.from_version, run_back(plan), ""});
    if (!sources) {
        return {{}, "ways back: " + sources.error().message};
    }
    auto shared_project = std::make_shared<const Project>(std::move(*project));
    auto shared_sources = std::make_shared<const model::FactSources>(std::move(*sources));
    return {[shared_project, shared_sources, &plan](const model::FactBook& facts) {
                return compile_back(
                    *shared_project,
                    *shared_sources,
                    plan,
                    planner::with_services(shared_project->pack, shared_project->cluster, facts));
            },
            ""};
}

// Compiles the plan again from the facts that it holds, with the gate where the checker found the
// point of no return. No host is asked, so the cluster may have changed since the survey.
Result<model::Plan> compile_again(const Options& options,
                                  const model::Plan& plan,
                                  const model::ReturnPointHint& closing) {
    DRYDOCK_TRY_ASSIGN(const Project project, project_of(options, plan));
    model::FactBook facts = plan.survey_facts;
    facts.insert(plan.bound_facts.begin(), plan.bound_facts.end());
    auto compiled = planner::compile({project.pack,
                                      project.cluster,
                                      facts,
                                      plan.procedure,
                                      plan.from_version,
                                      plan.to_version,
                                      plan.run,
                                      "",
                                      plan.reverts_run,
                                      closing,
                                      nullptr,
                                      true,
                                      &plan.temporaries});
    if (!compiled.plan) {
        return tl::unexpected(compiled.problems.front());
    }
    compiled.plan->route = plan.route;
    compiled.plan->facts_file = plan.facts_file;
    return std::move(*compiled.plan);
}

// Tries the budgets from large to small until a check ends. The time of the attempts that were
// stopped counts, too.
CheckResult check_small(const Options& options, const model::Plan& plan) {
    CheckResult checked;
    std::int64_t took_ms = 0;
    for (const checker::Faults& faults : k_small_faults) {
        checker::Options check_options;
        check_options.faults = faults;
        check_options.memory_max = k_soon_bytes;
        check_options.downgrade_starts_max = k_quick_worlds;
        checked = check(options, plan, check_options);
        took_ms += checked.took_ms;
        checked.took_ms = took_ms;
        if (checked.report.verdict != checker::Verdict::unfinished) {
            break;
        }
    }
    return checked;
}

}  // namespace

CheckResult check(const Options& options, const model::Plan& plan, checker::Options check_options) {
    os::RealClock clock;
    const std::int64_t begun = clock.monotonic_ms();
    DowngradeCompiler compiler = back_of(options, plan);
    check_options.compile_downgrade = std::move(compiler.compile);
    CheckResult checked;
    checked.report = checker::check(plan, check_options);
    if (!compiler.why_not.empty()) {
        checked.report.not_modelled.push_back(compiler.why_not);
    }
    checked.took_ms = clock.monotonic_ms() - begun;
    return checked;
}

// Moves the gate at most once. A plan that moves the point of no return again keeps the report of
// the second check, which then says so.
CheckResult quick_check(const Options& options, model::Plan& plan) {
    CheckResult checked = check_small(options, plan);
    if (!checked.report.return_point_hint) {
        return checked;
    }
    auto new_plan = compile_again(options, plan, *checked.report.return_point_hint);
    if (!new_plan) {
        return checked;
    }
    plan = std::move(*new_plan);
    const std::int64_t before_ms = checked.took_ms;
    checked = check_small(options, plan);
    checked.took_ms += before_ms;
    return checked;
}

// The digest binds the verdict to this plan: require_passed_check() refuses a verdict of any other
// plan.
Json verdict_of(const CheckResult& checked, const model::Plan& plan) {
    Json broken = Json::Array{};
    for (const checker::Violation& violation : checked.report.violations) {
        broken.push(std::string(checker::name_of(violation.property)));
    }
    Json json;
    json.set("digest", plan.digest())
        .set("verdict", std::string(checker::name_of(checked.report.verdict)))
        .set("faults", checker::show(checked.report.faults))
        .set("states", static_cast<std::int64_t>(checked.report.states))
        .set("broken", std::move(broken));
    if (!checked.report.hangs_on.empty()) {
        const std::vector<std::string>& facts = checked.report.hangs_on;
        json.set("hangs_on", Json(Json::Array(facts.begin(), facts.end())));
    }
    return json;
}

namespace {

constexpr const char* k_unchecked_remedy = "see `drydock check PLAN`; to run it all the same: "
                                           "--allow-unchecked \"why\", which goes into the "
                                           "journal";

// True if the plan may not run without a passed check. A downgrade is checked and its report is
// shown, but nobody is refused a way back at night.
bool needs_check(const model::Plan& plan) {
    return plan.procedure == model::k_upgrade || plan.procedure == model::k_rehearsal;
}

// Refuses a verdict that is not "holds". A check that did not end counts as no check.
Status holds(const Json& check) {
    const std::string& verdict = check["verdict"].as_string();
    if (verdict == checker::name_of(checker::Verdict::violated)) {
        std::vector<std::string> broken;
        for (const Json& property : check["broken"].items()) {
            broken.push_back(property.as_string());
        }
        return fail("plan.check_failed",
                    fmt::format("the plan's check failed: {}", join(broken, ", ")),
                    k_unchecked_remedy);
    }
    if (verdict != checker::name_of(checker::Verdict::holds)) {
        return fail(
            "plan.check_failed", "the plan's check did not come to its end", k_unchecked_remedy);
    }
    return {};
}

}  // namespace

Status require_passed_check(const model::Plan& plan) {
    if (!needs_check(plan)) {
        return {};
    }
    if (plan.check["digest"].as_string() != plan.digest()) {
        return fail("plan.unchecked", "the plan was never checked", k_unchecked_remedy);
    }
    return holds(plan.check);
}

Status check_again(const Options& options, const model::Plan& plan) {
    return needs_check(plan) ? holds(verdict_of(check_small(options, plan), plan)) : Status();
}

}  // namespace drydock::app
