// Executes the runs of a journey one after the other, forward or back.
//
// The loop in run_remaining() reads the next hop from the journal, plans it from fresh facts, and
// begins its run. Between two runs it holds the lease of the run that is over. Correctness does not
// rest on that lease: the birth of a run names the newest run its plan was made after, and the
// journal refuses it if there is a newer one. docs/design/0011-journeys.md describes the protocol.
#include "app/travel.h"

#include "app/planning.h"
#include "planner/rehearsal.h"
#include "run/request.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

// Refuses a journey under a policy that asks for signed plans, because nobody can sign a plan that
// is made on the way.
Status check_signatures(const Options& options) {
    const auto project = open_project(options);
    if (!project || project->cluster.policy.allowed_signers.empty()
        || !project->cluster.policy.signature_required) {
        return {};
    }
    return fail("journey.signatures",
                fmt::format("the policy of {} asks for signed plans, and `upgrade` makes the plan "
                            "of each hop on the way",
                            options.cluster_file),
                "plan hop after hop: drydock plan, sign, apply");
}

// Refuses a plan that does not continue the journey: one that leads back, or one from another
// version than the journey stands at.
Status is_expected(const model::Plan& plan, const JourneyRecord& record) {
    if (plan.procedure != model::k_upgrade) {
        return fail("upgrade.back",
                    fmt::format("{} lies behind {}", record.stops.back(), plan.from_version),
                    "to go back: drydock downgrade, or drydock plan --to VERSION");
    }
    if (record.hop > 0 && plan.from_version != record.stops[record.hop]) {
        return fail("journey.moved",
                    fmt::format("the journey stood at {}, and the cluster is at {} now",
                                record.stops[record.hop],
                                plan.from_version),
                    "begin another one from here: drydock upgrade --to VERSION");
    }
    return {};
}

Error unchecked_hop(const model::Plan& plan, const Error& error) {
    return {error.code,
            fmt::format("{} -> {}: {}", plan.from_version, plan.to_version, error.message),
            fmt::format("see the stories: drydock plan -c {0} --to {1} -o plan.json, then drydock "
                        "check plan.json; `apply --allow-unchecked` runs that hop all the same",
                        plan.cluster_file,
                        plan.to_version),
            ErrorClass::permanent};
}

bool has_next(const AppResult<RunStatus>& ended) {
    return ended && ended->journey && ended->journey->next != run::JourneyStep::none;
}

// True if the downgrade was refused because no way back exists. A journey back ends there without a
// failure; every other refusal is one.
bool is_as_far_as_it_goes(const Failure& failure) {
    return failure.exit_code == k_exit_no && !failure.errors.empty();
}

// A hop of a journey was checked when it was planned, a moment ago and in this process. It is not
// checked again.
std::future<Status> passed_check() {
    return std::async(std::launch::deferred, [] { return Status(); });
}

// Drops the approvals of gates without a version: they belong to the first run.
std::vector<std::string> of_later_runs(const std::vector<std::string>& approvals) {
    std::vector<std::string> later;
    std::copy_if(approvals.begin(),
                 approvals.end(),
                 std::back_inserter(later),
                 [](const std::string& typed) { return typed.find(':') != typed.npos; });
    return later;
}

}  // namespace

std::string newest_run(StateDir& state_dir) {
    const auto info = state_dir.current_run(true);
    return info ? info->run.id : "";
}

// Approvals of the way forward are dropped, since they were given for other gates. If the downgrade
// is refused, the halted run stays the answer and its cause tells of both.
AppResult<RunStatus>
return_if_asked(const Options& options, AppResult<RunStatus> ended, run::Observer& observer) {
    const bool halted = ended && ended->state.phase() == run::Phase::halted;
    if (!halted || ended->plan.on_failure != model::FailurePolicy::take_back
        || !ended->plan.reverts_run.empty() || ended->plan.procedure == model::k_rehearsal) {
        return ended;
    }
    Options downgrade_options = options;
    downgrade_options.cluster_file = ended->plan.cluster_file;
    downgrade_options.approvals.clear();  // were said of the way forward
    downgrade_options.back_to = ended->plan.from_version;
    auto returned = downgrade(downgrade_options, observer);
    if (!returned && !returned.error().errors.empty()) {
        ended->cause += fmt::format("; going back by itself was refused: {}",
                                    returned.error().errors.front().message);
    }
    return returned ? returned : ended;
}

JourneyRunner::JourneyRunner(const Options& options, StateDir& state_dir, run::Observer& observer)
    : options_(options)
    , state_dir_(state_dir)
    , observer_(observer) {
}

// Makes the plan of one hop and checks it. A plan whose check failed stops the journey here, before
// its run exists.
AppResult<model::Plan> JourneyRunner::plan_hop(const JourneyRecord& record) const {
    DRYDOCK_TRY(check_signatures(options_));
    DRYDOCK_TRY_ASSIGN(auto plan,
                       make_plan(options_, {record.stops.back(), false, "", record.through}));
    if (Status expected = is_expected(plan, record); !expected) {
        return refuse(expected.error(), record.hop == 0 ? k_exit_no : k_exit_moved);
    }
    plan.check = verdict_of(quick_check(options_, plan), plan);
    if (const Status checked = require_passed_check(plan); !checked) {
        return refuse(unchecked_hop(plan, checked.error()));
    }
    return plan;
}

// Adds the place where the journey stands to a failure between two hops. Where another process
// began a run, the journey has moved on, so nothing is added.
tl::unexpected<Failure> JourneyRunner::stopped(const JourneyRecord& record, Failure failure) const {
    const bool is_anothers = !failure.errors.empty()
                             && (failure.errors.front().code == "run.in_progress"
                                 || failure.errors.front().code == "journal.run.newer");
    if (record.hop > 0 && !is_anothers) {
        failure.errors.push_back({"journey.stopped",
                                  fmt::format("the journey to {} stands at {}, before hop {} of {}",
                                              record.stops.back(),
                                              record.stops[record.hop],
                                              record.hop + 1,
                                              record.stops.size() - 1),
                                  fmt::format("once that is cured: drydock resume -c {0}; to go "
                                              "back: drydock downgrade -c {0}",
                                              options_.cluster_file),
                                  ErrorClass::permanent});
    }
    return tl::unexpected(std::move(failure));
}

// True if a person asked for a pause or an abort between two runs. Both mean the same there:
// nothing is under way, and nothing more begins. They need no answer, because the person sees that
// the lease is released and no run was made.
bool is_asked_to_stop(StateDir& state_dir, const std::string& run) {
    const auto open = run.empty() ? Result<std::vector<journal::Request>>()
                                  : state_dir.journal().open_requests(run);
    return open && std::any_of(open->begin(), open->end(), [](const journal::Request& request) {
               const auto kind = run::k_request_kinds.parse(request.kind);
               return kind && run::is_stop(*kind);
           });
}

// The plan was made here from a trusted cluster file, so its consent is remembered without a
// question.
AppResult<RunStatus> JourneyRunner::begin(RunStart departure, SessionPointer& session) {
    DRYDOCK_TRY(remember_own(options_, departure.plan));
    auto ended = execute_run(options_, state_dir_, departure, observer_, session);
    options_.approvals = of_later_runs(options_.approvals);
    return ended;
}

// The newest run is read before the plan is made. Planning takes long, and a run that another
// process begins meanwhile must refuse this one.
AppResult<RunStatus> JourneyRunner::run_hop(JourneyRecord record, SessionPointer& session) {
    const std::string newest = newest_run(state_dir_);
    const auto plan = plan_hop(record);
    if (!plan) {
        return stopped(record, plan.error());
    }
    record.stops.resize(record.hop);
    record.stops.insert(record.stops.end(), plan->route.begin(), plan->route.end());
    observer_.on_journey(outline(record));
    if (is_asked_to_stop(state_dir_, own_previous_run_)) {
        return stop_between_runs();
    }
    auto ended = begin({*plan, passed_check(), record, newest}, session);
    return ended ? std::move(ended) : stopped(record, ended.error());
}

// A downgrade of a hop belongs to the journey of the run that it takes back. A run without a
// journey is taken back as it is.
AppResult<RunStatus> JourneyRunner::run_back(const model::Plan& plan,
                                             const std::string& newest,
                                             SessionPointer& session) {
    DRYDOCK_TRY_ASSIGN(const auto info, state_dir_.journal().find_run(plan.reverts_run));
    DRYDOCK_TRY_ASSIGN(const auto forward, replay(state_dir_, info));
    auto record = record_of(forward);
    if (!record) {
        return begin({plan, start_plan_check(options_, plan), std::nullopt, newest}, session);
    }
    if (const auto journey = journey_of(state_dir_, forward); journey && *journey) {
        observer_.on_journey(**journey);
    }
    record->through.clear();
    record->back_to = options_.back_to.empty() ? record->stops.front() : options_.back_to;
    const auto leg = newest_cluster_run(state_dir_);
    record->previous_run = leg ? leg->run.id : "";
    return begin({plan, start_plan_check(options_, plan), record, newest}, session);
}

// Ends the journey here, because somebody asked for it while the hop was planned.
AppResult<RunStatus> JourneyRunner::stop_between_runs() {
    is_stopped_ = true;
    auto stands = status(options_, own_previous_run_);
    if (stands) {
        stands->conductor.reset();  // this process, which is about to end
        stands->exit_code = k_exit_waiting;
    }
    return stands;
}

// The loop saw a next hop a moment ago. If it is gone, another run has begun.
AppResult<RunStatus> JourneyRunner::run_next_hop(SessionPointer& session) {
    DRYDOCK_TRY_ASSIGN(auto record, next_record(state_dir_));
    if (!record) {
        return refuse({"journal.run.newer",
                       "another run began meanwhile",
                       fmt::format("drydock status -c {}", options_.cluster_file),
                       ErrorClass::permanent});
    }
    return run_hop(std::move(*record), session);
}

// Takes the previous hop back, if its way back is open. Otherwise the journey ends well at this
// version, with the reason in its status.
AppResult<RunStatus> JourneyRunner::run_previous_hop(RunStatus ended, SessionPointer& session) {
    const std::string newest = newest_run(state_dir_);
    const auto plan = plan_downgrade(options_, state_dir_);
    if (plan) {
        return run_back(*plan, newest, session);
    }
    if (!is_as_far_as_it_goes(plan.error())) {
        return tl::unexpected(plan.error());
    }
    ended.journey->next = run::JourneyStep::none;
    ended.journey->closed = plan.error().errors.front().message;
    ended.exit_code = k_exit_done;
    return ended;
}

// Each turn holds the session of the run before until the next run is born, so the lease passes
// from run to run. The conversations with the hosts are closed first, since the next run opens its
// own.
AppResult<RunStatus> JourneyRunner::run_remaining(AppResult<RunStatus> ended,
                                                  SessionPointer session) {
    if (session) {
        options_.approvals = of_later_runs(options_.approvals);
    }
    while (has_next(ended)) {
        own_previous_run_ = session ? ended->run : "";
        if (is_asked_to_stop(state_dir_, own_previous_run_)) {
            ended->exit_code = k_exit_waiting;
            break;
        }
        if (session) {
            session->run().close_hosts();
        }
        SessionPointer next;
        ended = ended->journey->next == run::JourneyStep::forward
                    ? run_next_hop(next)
                    : run_previous_hop(std::move(*ended), next);
        if (is_stopped_) {
            break;
        }
        session = std::move(next);
    }
    session.reset();  // gives the lease back
    return return_if_asked(options_, std::move(ended), observer_);
}

}  // namespace drydock::app
