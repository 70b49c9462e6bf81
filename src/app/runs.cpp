// The commands that begin, resume and revert runs: apply, upgrade, resume, downgrade.
//
// Each checks the reasons to refuse, takes or makes a session, and hands the rest of a journey to
// JourneyRunner. After a halt the plan's policy may ask for a downgrade, which follows by itself.
// The first refusals need no host: consent, signature, checked plan, open runs.
#include "app/planning.h"
#include "app/signing.h"
#include "app/travel.h"
#include "app/trust.h"
#include "os/files.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace drydock::app {

namespace {

// Refuses a resume if the file that a person holds differs from the plan that runs. The person
// would read one plan while the other goes on. A file that is gone, or that holds another run's
// plan, says nothing.
Status check_plan_file(const model::Plan& running, const Json& created) {
    const std::string& path = created["plan_file"].as_string();
    std::error_code ignored;
    if (path.empty() || !std::filesystem::exists(path, ignored)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 64U << 20U));
    const auto json = Json::parse(text);
    const auto plan =
        json ? model::plan_from_json(*json) : Result<model::Plan>(tl::unexpected(json.error()));
    if (plan && plan->run != running.run) {
        return {};  // a later plan under the same name
    }
    if (!plan || plan->digest() != running.digest()) {
        return fail(
            "plan.edited",
            fmt::format("{} was changed after run {} began with it", path, running.run),
            fmt::format(
                "put it back ({}/runs/{}.json is the run's own copy) or move it away; then resume",
                running.state_dir,
                running.run));
    }
    return {};
}

// Compares the cluster with the state that the run expects, and changes nothing.
AppResult<RunStatus> dry_run_resume(LocalSession& session) {
    auto obstacle = session.run().look_before_resume();
    if (Status same = check_plan_file(session.plan(), session.run().history().created); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    return obstacle.is_there() ? refuse_obstacle(std::move(obstacle)) : session.status();
}

// Takes the lease of the run that is to be taken back and drains it. Nothing of that run may be at
// work while its downgrade is planned and begun. The lease is held until the downgrade is born, so
// nobody can resume the run in between.
AppResult<SessionPointer>
drain_forward_run(const Options& options, StateDir& state_dir, run::Observer& observer) {
    auto info = state_dir.current_run(false);
    if (!info) {
        const std::string& code = info.error().errors.front().code;
        const bool has_no_run = code == "run.over" || code == "run.none";
        return has_no_run ? AppResult<SessionPointer>(SessionPointer())
                          : tl::unexpected(info.error());
    }
    if (info->holder) {
        return run_in_progress(*info, options.cluster_file);
    }
    DRYDOCK_TRY_ASSIGN(auto session, LocalSession::open_current(options, state_dir, observer));
    if (!session->plan().reverts_run.empty()) {
        return SessionPointer();  // plan_downgrade refuses it, and says why
    }
    if (session->plan().procedure == model::k_rehearsal) {
        return refuse(
            {"downgrade.rehearsal",
             fmt::format("run {} is a rehearsal: nothing of the cluster was changed", info->run.id),
             fmt::format("to end it: drydock abort -c {}", options.cluster_file),
             ErrorClass::permanent});
    }
    executor::RunSession& forward = session->run();
    DRYDOCK_TRY(forward.take());
    DRYDOCK_TRY(refuse_closed_before(options, state_dir, session->plan().from_version));
    DRYDOCK_TRY(forward.drain_for_downgrade());
    if (forward.obstacle().is_there()) {
        return refuse_obstacle(forward.obstacle());
    }
    return session;
}

// Returns the version at which the downgrade ends: the stop that a person named, or the start of
// the journey. A version that is no stop is wrong use, because no run of this journey led there.
AppResult<std::string>
find_limit(const Options& options, StateDir& state_dir, const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(const auto info, state_dir.journal().find_run(plan.reverts_run));
    DRYDOCK_TRY_ASSIGN(const auto forward, replay(state_dir, info));
    const auto record = record_of(forward);
    std::vector<std::string> stops = {plan.to_version};
    if (record) {
        stops.assign(record->stops.begin(),
                     record->stops.begin() + static_cast<std::ptrdiff_t>(record->hop) + 1);
    }
    std::string limit = options.back_to.empty() ? stops.front() : options.back_to;
    if (std::find(stops.begin(), stops.end(), limit) == stops.end()) {
        return refuse(
            {"downgrade.to",
             fmt::format("{} is no stop behind; those are: {}", limit, fmt::join(stops, ", ")),
             "name one of them, or plan there: drydock plan --to VERSION",
             ErrorClass::permanent},
            k_exit_usage);
    }
    return limit;
}

// Goes on with a journey between two of its runs. Finished rehearsals may lie behind its newest
// run; they change nothing of the cluster.
AppResult<RunStatus> resume_journey(const Options& options,
                                    StateDir& state_dir,
                                    const journal::RunInfo& last,
                                    run::Observer& observer) {
    const auto leg = newest_cluster_run(state_dir);
    auto stands = status(options, leg ? leg->run.id : last.run.id);
    if (!stands || !stands->journey || stands->journey->next == run::JourneyStep::none) {
        return status(options, last.run.id);  // nothing is left to do
    }
    if (leg->holder) {
        return run_in_progress(*leg, options.cluster_file);
    }
    DRYDOCK_TRY_ASSIGN(const auto newest, replay(state_dir, *leg));
    Options journey_options = options;
    journey_options.back_to = record_of(newest)->back_to;
    return JourneyRunner(journey_options, state_dir, observer)
        .run_remaining(std::move(stands), nullptr);
}

// Returns the record of the run that `upgrade` begins. The same command typed again continues its
// journey; any other target begins a new one.
AppResult<JourneyRecord> departure_record(StateDir& state_dir, const UpgradeRequest& request) {
    DRYDOCK_TRY_ASSIGN(auto next, next_record(state_dir));
    const bool is_same = next && next->stops.back() == request.target
                         && (request.through.empty() || next->through == request.through);
    if (is_same) {
        return std::move(*next);
    }
    JourneyRecord record;
    record.stops = {"", request.target};
    record.through = request.through;
    return record;
}

// Refuses a plan whose facts nobody has read: values that the plan is not bound to would not be
// seen to differ.
Status require_survey(const model::Plan& plan) {
    if (plan.facts_file.empty()) {
        return {};
    }
    return fail("plan.facts_file",
                fmt::format("the plan was made from the facts in {}, and no host was asked",
                            plan.facts_file),
                fmt::format("plan from the cluster: drydock plan -c {} --to {} -o plan.json",
                            plan.cluster_file,
                            plan.to_version));
}

}  // namespace

// The check runs again here, because anybody may have written the verdict into the file. It is
// skipped only with a reason, which the journal keeps.
AppResult<RunStatus>
apply(const Options& options, const model::Plan& plan, run::Observer& observer) {
    DRYDOCK_TRY(require_survey(plan));
    DRYDOCK_TRY_ASSIGN(auto signer, check_signature(options, plan));
    DRYDOCK_TRY(check_trust(options, plan));
    Options signer_options = options;
    signer_options.signed_by = signer.value_or("");
    DRYDOCK_TRY(options.allow_unchecked.empty() ? require_passed_check(plan) : Status());
    RunStart departure = {plan, start_plan_check(signer_options, plan)};
    DRYDOCK_TRY_ASSIGN(auto state_dir,
                       options.dry_run ? StateDir::open_read_only(plan.state_dir)
                                       : StateDir::open(plan.state_dir, true));
    SessionPointer session;
    auto ended = execute_run(signer_options, state_dir, departure, observer, session);
    session.reset();  // gives the lease back
    return return_if_asked(signer_options, std::move(ended), observer);
}

// An open run is refused before anything is planned: its plan would be void at once.
AppResult<RunStatus>
upgrade(const Options& options, const UpgradeRequest& request, run::Observer& observer) {
    DRYDOCK_TRY_ASSIGN(auto project, open_project(options));
    DRYDOCK_TRY(check_trust(options, project));
    const std::string& state = project.cluster.state_dir;
    DRYDOCK_TRY_ASSIGN(auto state_dir,
                       options.dry_run ? StateDir::open_read_only(state)
                                       : StateDir::open(state, true));
    const auto last = state_dir.current_run(true);
    if (last && (last->holder || !last->state.is_over)) {
        return run_in_progress(*last, options.cluster_file);
    }
    DRYDOCK_TRY_ASSIGN(auto record, departure_record(state_dir, request));
    JourneyRunner travel(options, state_dir, observer);
    SessionPointer session;
    auto ended = travel.run_hop(std::move(record), session);
    return travel.run_remaining(std::move(ended), std::move(session));
}

// Continues the open run, then the rest of its journey. Approvals without a version hold for the
// open run only.
AppResult<RunStatus> resume(const Options& options, run::Observer& observer) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    auto last = state_dir.current_run(true);
    const auto leg = last && last->state.is_over ? newest_cluster_run(state_dir) : last;
    if (leg
        && leg->state.word
               == executor::run_state_of(run::Phase::finished)
                      .word) {  // only finished rehearsals may be newer
        return resume_journey(options, state_dir, *last, observer);
    }
    DRYDOCK_TRY_ASSIGN(auto session, LocalSession::open_current(options, state_dir, observer));
    if (options.dry_run) {
        return dry_run_resume(*session);
    }
    DRYDOCK_TRY(session->run().take());
    const executor::RunHistory& history = session->run().history();
    if (Status same = check_plan_file(session->plan(), history.created); !same) {
        return refuse(same.error(), k_exit_moved);
    }
    Options journey_options = options;
    if (const auto record = journey_from(history.created["journey"])) {
        journey_options.back_to = record->back_to;
        observer.on_journey(outline(*record));
    }
    auto ended = conduct(options, *session);
    return JourneyRunner(journey_options, state_dir, observer)
        .run_remaining(std::move(ended), std::move(session));
}

AppResult<model::Plan> plan_downgrade(const Options& options) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    DRYDOCK_TRY_ASSIGN(auto plan, plan_downgrade(options, state_dir));
    DRYDOCK_TRY(find_limit(options, state_dir, plan));
    return plan;
}

// The newest run is read after the lease is taken and before the plan is made. The birth of the
// downgrade is refused if another run began since.
AppResult<RunStatus> downgrade(const Options& options, run::Observer& observer) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    DRYDOCK_TRY_ASSIGN(auto forward, drain_forward_run(options, state_dir, observer));
    const std::string newest = newest_run(state_dir);
    DRYDOCK_TRY_ASSIGN(const auto plan, plan_downgrade(options, state_dir));
    DRYDOCK_TRY_ASSIGN(const auto limit, find_limit(options, state_dir, plan));
    Options limited_options = options;
    limited_options.back_to = limit;
    JourneyRunner travel(limited_options, state_dir, observer);
    SessionPointer session;
    auto ended = travel.run_back(plan, newest, session);
    forward.reset();
    return travel.run_remaining(std::move(ended), std::move(session));
}

}  // namespace drydock::app
