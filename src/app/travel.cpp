#include "app/travel.h"

#include "app/planning.h"
#include "planner/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::app {

namespace {

// A policy that asks for signed plans leaves no room for plans that are made on the way.
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

Status is_expected(const model::Plan& plan, const JourneyRecord& record) {
    if (plan.procedure != "upgrade") {
        return fail("upgrade.back",
                    fmt::format("{} lies behind {}", record.stops.back(), plan.from),
                    "to go back: drydock downgrade, or drydock plan --to VERSION");
    }
    if (record.hop > 0 && plan.from != record.stops[record.hop]) {
        return fail("journey.moved",
                    fmt::format("the journey stood at {}, and the cluster is at {} now",
                                record.stops[record.hop],
                                plan.from),
                    "begin another one from here: drydock upgrade --to VERSION");
    }
    return {};
}

Error unproved(const model::Plan& plan, const Error& error) {
    return {error.code,
            fmt::format("{} -> {}: {}", plan.from, plan.to, error.message),
            fmt::format("see the stories: drydock plan -c {0} --to {1} -o plan.json, then drydock "
                        "check plan.json; `apply --unproved` runs that hop all the same",
                        plan.cluster_file,
                        plan.to),
            ErrorClass::permanent};
}

bool has_next(const Answer<RunStatus>& ended) {
    return ended && ended->journey && ended->journey->next != JourneyStep::none;
}

// A way back that does not exist is no failure: so far the ways back reach.
bool is_as_far_as_it_goes(const Failure& failure) {
    return failure.exit_code == k_exit_no && !failure.errors.empty();
}

std::future<Status> proved() {
    return std::async(std::launch::deferred, [] { return Status(); });
}

// Gates named without a version are those of the first run.
std::vector<std::string> of_later_runs(const std::vector<std::string>& approvals) {
    std::vector<std::string> later;
    std::copy_if(approvals.begin(),
                 approvals.end(),
                 std::back_inserter(later),
                 [](const std::string& typed) { return typed.find(':') != typed.npos; });
    return later;
}

}  // namespace

std::string newest_run(Store& store) {
    const auto info = store.current_run(true);
    return info ? info->run.id : "";
}

Answer<RunStatus>
return_if_asked(const Options& options, Answer<RunStatus> ended, Observer& observer) {
    const bool halted = ended && ended->state.phase() == run::Phase::halted;
    if (!halted || ended->plan.on_failure != "return" || !ended->plan.returns_from.empty()
        || ended->plan.procedure == planner::k_rehearsal) {
        return ended;
    }
    Options downgrade_options = options;
    downgrade_options.cluster_file = ended->plan.cluster_file;
    downgrade_options.approvals.clear();  // were said of the way forward
    downgrade_options.back_to = ended->plan.from;
    auto returned = downgrade(downgrade_options, observer);
    if (!returned && !returned.error().errors.empty()) {
        ended->cause += fmt::format("; going back by itself was refused: {}",
                                    returned.error().errors.front().message);
    }
    return returned ? returned : ended;
}

Travel::Travel(const Options& options, Store& store, Observer& observer)
    : options_(options)
    , store_(store)
    , observer_(observer) {
}

// The plan of one hop, checked.
Answer<model::Plan> Travel::plan_hop(const JourneyRecord& record) const {
    if (Status allowed = check_signatures(options_); !allowed) {
        return refuse(allowed.error());
    }
    auto plan = make_plan(options_, {record.stops.back(), false, "", record.through});
    if (!plan) {
        return plan;
    }
    if (Status expected = is_expected(*plan, record); !expected) {
        return refuse(expected.error(), record.hop == 0 ? k_exit_no : k_exit_moved);
    }
    plan->check = verdict_of(check_soon(options_, *plan), *plan);
    if (const Status checked = is_proved(*plan); !checked) {
        return refuse(unproved(*plan, checked.error()));
    }
    return plan;
}

// Says where the journey stands when its next hop cannot begin.
tl::unexpected<Failure> Travel::stopped(const JourneyRecord& record, Failure failure) const {
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

// Between two runs a pause and an abort mean the same: nothing is under way, and nothing more
// begins. They need no answer: whoever asks sees that the lease is given back and no run was born.
bool is_asked_to_stop(Store& store, const std::string& run) {
    const auto open =
        run.empty() ? Result<std::vector<journal::Request>>() : store.journal().open_requests(run);
    return open && std::any_of(open->begin(), open->end(), [](const journal::Request& request) {
               return request.kind == "pause" || request.kind == "abort";
           });
}

// The plan was made here, of a cluster file that is known here.
Answer<RunStatus> Travel::begin(Departure departure, SessionPointer& session) {
    if (Status memory = remember_own(options_, departure.plan); !memory) {
        return refuse(memory.error());
    }
    auto ended = carry_out(options_, store_, departure, observer_, session);
    options_.approvals = of_later_runs(options_.approvals);
    return ended;
}

Answer<RunStatus> Travel::run_hop(JourneyRecord record, SessionPointer& session) {
    const std::string newest = newest_run(store_);
    const auto plan = plan_hop(record);
    if (!plan) {
        return stopped(record, plan.error());
    }
    record.stops.resize(record.hop);
    record.stops.insert(record.stops.end(), plan->route.begin(), plan->route.end());
    observer_.on_journey(outline(record));
    if (is_asked_to_stop(store_, conducted_)) {
        return stay();
    }
    auto ended = begin({*plan, proved(), record, newest}, session);
    return ended ? std::move(ended) : stopped(record, ended.error());
}

Answer<RunStatus>
Travel::run_back(const model::Plan& plan, const std::string& newest, SessionPointer& session) {
    const auto info = store_.journal().find_run(plan.returns_from);
    const auto forward = info ? replay(store_, *info) : Answer<Replayed>(refuse(info.error()));
    if (!forward) {
        return tl::unexpected(forward.error());
    }
    auto record = record_of(*forward);
    if (!record) {
        return begin({plan, start_proof(options_, plan), std::nullopt, newest}, session);
    }
    if (const auto journey = journey_of(store_, *forward); journey && *journey) {
        observer_.on_journey(**journey);
    }
    record->through.clear();
    record->back_to = options_.back_to.empty() ? record->stops.front() : options_.back_to;
    const auto leg = newest_leg(store_);
    record->before = leg ? leg->run.id : "";
    return begin({plan, start_proof(options_, plan), record, newest}, session);
}

// Somebody asked for it while the hop was planned.
Answer<RunStatus> Travel::stay() {
    stays_ = true;
    auto stands = status(options_, conducted_);
    if (stands) {
        stands->conductor.reset();  // this process, which is about to end
        stands->exit_code = k_exit_waiting;
    }
    return stands;
}

Answer<RunStatus> Travel::go_forth(SessionPointer& session) {
    auto record = next_record(store_);
    if (!record) {
        return tl::unexpected(record.error());
    }
    if (!*record) {
        return refuse({"journal.run.newer",
                       "another run began meanwhile",
                       fmt::format("drydock status -c {}", options_.cluster_file),
                       ErrorClass::permanent});
    }
    return run_hop(std::move(**record), session);
}

Answer<RunStatus> Travel::go_back(RunStatus ended, SessionPointer& session) {
    const std::string newest = newest_run(store_);
    const auto plan = plan_downgrade(options_, store_);
    if (plan) {
        return run_back(*plan, newest, session);
    }
    if (!is_as_far_as_it_goes(plan.error())) {
        return tl::unexpected(plan.error());
    }
    ended.journey->next = JourneyStep::none;
    ended.journey->closed = plan.error().errors.front().message;
    ended.exit_code = k_exit_done;
    return ended;
}

Answer<RunStatus> Travel::go_on(Answer<RunStatus> ended, SessionPointer session) {
    if (session) {
        options_.approvals = of_later_runs(options_.approvals);
    }
    while (has_next(ended)) {
        conducted_ = session ? ended->run : "";
        if (is_asked_to_stop(store_, conducted_)) {
            ended->exit_code = k_exit_waiting;
            break;
        }
        if (session) {
            session->run().close_hosts();
        }
        SessionPointer next;
        ended = ended->journey->next == JourneyStep::forward ? go_forth(next)
                                                             : go_back(std::move(*ended), next);
        if (stays_) {
            break;
        }
        session = std::move(next);
    }
    session.reset();  // gives the lease back
    return return_if_asked(options_, std::move(ended), observer_);
}

}  // namespace drydock::app
