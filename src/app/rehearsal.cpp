// Runs the pack's rehearsal of a hop on a copy of the data, as a run of its own.
//
// The steps: check the signature of the upgrade's plan; compile the rehearsal from fresh facts;
// check it; begin it. The planner refuses a rehearsal that would touch the real members.
// docs/design/0010-rehearsal.md has that rule and its limits.
#include "app/rehearsal.h"

#include "app/begin_run.h"
#include "app/planning.h"
#include "app/signing.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

bool has_rehearsal(const model::Pack& pack) {
    return std::any_of(pack.procedures.begin(), pack.procedures.end(), [](const auto& procedure) {
        return procedure.name == model::k_rehearsal;
    });
}

// Compiles and checks the rehearsal of the plan's hop, from the facts of now.
AppResult<model::Plan> plan_rehearsal(const Options& options, const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    if (!has_rehearsal(project.pack)) {
        return refuse({"rehearsal.none",
                       fmt::format("the {} pack has no rehearsal", project.pack.name),
                       "write a procedure of that name: docs/packs.md",
                       ErrorClass::permanent});
    }
    const std::string run = make_run_id(plan.run);
    DRYDOCK_TRY_ASSIGN(
        auto survey,
        survey_quiet(options, std::move(project), {plan.from_version, plan.to_version, run, ""}));
    auto rehearsal = finish(planner::compile({survey.pack,
                                              survey.cluster,
                                              survey.facts,
                                              std::string(model::k_rehearsal),
                                              plan.from_version,
                                              plan.to_version,
                                              run,
                                              "",
                                              ""}));
    if (rehearsal) {
        rehearsal->check = verdict_of(quick_check(options, *rehearsal), *rehearsal);
    }
    return rehearsal;
}

}  // namespace

// The rehearsal is a plan that was made here, so its consent is remembered without a question. The
// plan file of the upgrade is not its own, and a resume must not compare the two.
AppResult<RunStatus>
rehearse(const Options& options, const model::Plan& plan, run::Observer& observer) {
    DRYDOCK_TRY(check_signature(options, plan));
    Options plan_options = options;
    plan_options.cluster_file = plan.cluster_file;
    plan_options.plan_file.clear();  // the rehearsal is another plan
    DRYDOCK_TRY_ASSIGN(const auto rehearsal, plan_rehearsal(plan_options, plan));
    DRYDOCK_TRY(require_passed_check(rehearsal));
    DRYDOCK_TRY(remember_own(options, rehearsal));
    DRYDOCK_TRY_ASSIGN(auto state_dir,
                       options.dry_run ? StateDir::open_read_only(rehearsal.state_dir)
                                       : StateDir::open(rehearsal.state_dir, true));
    RunStart departure = {rehearsal, start_plan_check(plan_options, rehearsal)};
    SessionPointer session;
    return execute_run(plan_options, state_dir, departure, observer, session);
}

}  // namespace drydock::app
