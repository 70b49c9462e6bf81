// Turns a plan into a run: early refusals, the check of the plan, the birth, and the execution.
//
// The order matters. Cheap refusals come first, then the look at the hosts, then the result of the
// check. Nothing is written before all three have passed. The journal looks once more in the commit
// that makes the run, so two processes cannot begin two runs. docs/design/0005-the-run-session.md
// describes that commit.
#include "app/begin_run.h"

#include "base/text.h"

#include <fmt/format.h>

namespace drydock::app {

// Names the process that holds the run's lease, so that a person knows where to look first.
tl::unexpected<Failure> run_in_progress(const journal::RunInfo& info, const std::string& file) {
    const std::string holder_text = info.holder
                                        ? fmt::format(", conducted by process {} on {} since {}",
                                                      info.holder->pid,
                                                      info.holder->host,
                                                      show_time(info.holder->since_ms))
                                        : std::string();
    return refuse(
        {"run.in_progress",
         fmt::format("run {} is not over ({}{})",
                     info.run.id,
                     info.state.word.empty() ? "created" : info.state.word,
                     holder_text),
         fmt::format("drydock resume -c {0}, drydock downgrade -c {0}, or drydock abort -c {0}",
                     file),
         ErrorClass::permanent});
}

namespace {

// Returns the status of a dry run: no action has begun, and the journal has no record.
RunStatus not_begun(const model::Plan& plan) {
    RunStatus status;
    status.plan = plan;
    status.state = run::State(plan.actions.size());
    status.run = plan.run;
    return status;
}

// Adds the remaining recovery options to a refusal. Drift closes a downgrade, but a rebuild or a
// restore may still be possible.
void name_ways_left(const Options& options, const model::Plan& plan, AppResult<RunStatus>& ended) {
    if (!ended && ended.error().exit_code == k_exit_moved && !plan.reverts_run.empty()) {
        ended.error().recovery_options =
            ways_left(options, plan.from_version, plan.to_version, plan.reverts_run);
    }
}

}  // namespace

// Executes the run and reads its status from the journal, which is the only source of the exit
// code.
AppResult<RunStatus> conduct(const Options& options, LocalSession& session) {
    auto ended = session.status_after(session.run().conduct());
    name_ways_left(options, session.plan(), ended);
    if (ended && ended->state.phase() == run::Phase::aborted) {
        ended->exit_code = k_exit_no;  // a person gave it up meanwhile
    }
    return ended;
}

namespace {

// Refuses a plan that has a run already. A plan is run once: the rest of an open run is resumed,
// and a run that is over needs a new plan from new facts.
Status not_run_before(StateDir& state_dir, const model::Plan& plan) {
    const auto info = state_dir.journal().find_run(plan.run);
    if (!info) {
        return {};
    }
    const bool over = info->state.is_over;
    return fail("plan.used",
                fmt::format("this plan was run already: run {} is {}",
                            plan.run,
                            over ? info->state.word : "not over"),
                over ? fmt::format("plan again: drydock plan -c {} --to {} -o plan.json",
                                   plan.cluster_file,
                                   plan.to_version)
                     : fmt::format("go on with it: drydock resume -c {}", plan.cluster_file));
}

// Refuses a downgrade over a hop whose run has closed the way back. The age of the plan does not
// matter, because the run may have closed it after the plan was made.
AppResult<void>
refuse_plan_back(const Options& options, StateDir& state_dir, const model::Plan& plan) {
    return plan.procedure == model::k_downgrade
               ? refuse_closed_before(options, state_dir, plan.to_version)
               : AppResult<void>();
}

// Refuses early, with friendly words. These checks race with other processes; the journal repeats
// the ones that must hold in the commit of the birth.
AppResult<void> may_begin(const Options& options, StateDir& state_dir, const model::Plan& plan) {
    DRYDOCK_TRY(refuse_plan_back(options, state_dir, plan));
    DRYDOCK_TRY(not_run_before(state_dir, plan));
    auto active = state_dir.current_run(false);
    if (active && active->run.id != plan.reverts_run) {
        return run_in_progress(*active, plan.cluster_file);
    }
    return {};
}

// Returns the detail of run.created (docs/formats/events.md). It is the only place where the
// reasons of a person and the position in a journey are recorded.
Json created_detail(const Options& options, const RunStart& departure) {
    const model::Plan& plan = departure.plan;
    Json detail;
    detail.set("plan", plan.digest()).set("plan_file", options.plan_file);
    detail.set("who", current_user()).set("grammar", k_grammar);
    detail.set("title",
               fmt::format("{} {} -> {}", plan.procedure, plan.from_version, plan.to_version));
    detail.set("checked", plan.check["verdict"]);
    if (!options.allow_unchecked.empty()) {
        detail.set("allow_unchecked", options.allow_unchecked);
    }
    if (!options.signed_by.empty()) {
        detail.set("signed_by", options.signed_by);
    }
    if (departure.journey) {
        JourneyRecord record = *departure.journey;
        record.id = record.id.empty() ? plan.run : record.id;
        detail.set("journey", to_json(record));
    }
    return detail;
}

// Explains a refused birth. Where another run came first, the refusal names that run instead of the
// journal's error code.
tl::unexpected<Failure>
cannot_begin(StateDir& state_dir, const model::Plan& plan, const Error& error) {
    auto active = state_dir.current_run(false);
    const bool open = error.code == "journal.run.open" || error.code == "journal.lease.held";
    return open && active ? run_in_progress(*active, plan.cluster_file) : refuse(error);
}

// Saves the plan, makes the run, and executes it. The plan is durable before its run exists, since
// a resume reads the plan from the state directory.
AppResult<RunStatus> begin(const Options& options,
                           StateDir& state_dir,
                           const RunStart& departure,
                           LocalSession& session) {
    const model::Plan& plan = session.plan();
    DRYDOCK_TRY(refuse_plan_back(options, state_dir, plan));
    DRYDOCK_TRY(state_dir.save_plan(plan));
    const Json detail = created_detail(options, departure);
    if (Status begun = session.run().begin(detail, departure.follows); !begun) {
        return cannot_begin(state_dir, plan, begun.error());
    }
    return conduct(options, session);
}

}  // namespace

// The check runs while the hosts are greeted, because neither needs the other. execute_run() waits
// for its result before anything begins.
std::future<Status> start_plan_check(const Options& options, const model::Plan& plan) {
    return options.allow_unchecked.empty()
               ? std::async(std::launch::async | std::launch::deferred,
                            [&] { return check_again(options, plan); })
               : std::async(std::launch::deferred, [] { return Status(); });
}

// The session becomes the caller's only at the birth. Until then its destructor closes the
// conversations with the hosts, and nothing of the attempt is left.
AppResult<RunStatus> execute_run(const Options& options,
                                 StateDir& state_dir,
                                 RunStart& departure,
                                 run::Observer& observer,
                                 SessionPointer& session) {
    const model::Plan& plan = departure.plan;
    DRYDOCK_TRY(may_begin(options, state_dir, plan));
    DRYDOCK_TRY_ASSIGN(auto opened, LocalSession::open(options, state_dir, plan, observer));
    auto obstacle = opened->run().look_before_begin();
    DRYDOCK_TRY(departure.checked.get());
    if (obstacle.is_there()) {
        AppResult<RunStatus> refused = refuse_obstacle(std::move(obstacle));
        name_ways_left(options, plan, refused);
        return refused;
    }
    if (options.dry_run) {
        return not_begun(plan);
    }
    session = std::move(opened);
    return begin(options, state_dir, departure, *session);
}

}  // namespace drydock::app
