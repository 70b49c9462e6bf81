// Carries out the commands of a person to an open run: approve, pause, abort, note.
//
// A run has one conductor. Where this process can take the lease, it does the work itself. Where
// another process holds it, the command becomes a row of the journal, and this process waits for
// the answer. The conductor answers in the commit of the record that carries the command out, so an
// answer is never ahead of its effect. docs/design/0005-the-run-session.md describes requests.
#include "app/local_session.h"
#include "base/text.h"
#include "executor/gate_approval.h"
#include "run/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

namespace drydock::app {

namespace {

using run::RequestKind;

constexpr std::int64_t k_answer_ms_max = 600'000;  // work in flight ends first
constexpr auto k_poll = std::chrono::milliseconds(50);

// Explains why a gate cannot be approved: the plan has no such gate, it soaks, or it is not open.
tl::unexpected<Failure>
gate_not_open(const model::Plan& plan, const RunStatus& status, const std::string& gate) {
    std::vector<std::string> gates;
    for (const model::Action& action : plan.actions) {
        if (action.is_gate()) {
            gates.push_back(action.gate);
        }
    }
    std::string cause = fmt::format("gate `{}` is not open", gate);
    if (std::find(gates.begin(), gates.end(), gate) == gates.end()) {
        cause = fmt::format("the plan has no gate `{}`; it has: {}", gate, join(gates, ", "));
    } else if (status.soak_left_ms > 0) {
        cause = fmt::format(
            "gate `{}` opens after the soak, in {}", gate, show_duration(status.soak_left_ms));
    }
    return refuse({"gate.not_open",
                   cause,
                   fmt::format("drydock status -c {}", plan.cluster_file),
                   ErrorClass::permanent});
}

// The outcome is unknown, so the exit code is that of a halt. A request that stays open is void
// once its conductor has ended.
tl::unexpected<Failure> not_answered(const std::string& run, RequestKind kind) {
    return refuse({"request.unanswered",
                   fmt::format("the conductor of run {} did not answer the request to {}",
                               run,
                               name_of(kind)),
                   "see `drydock status`; the request is void once that conductor has ended",
                   ErrorClass::transient},
                  k_exit_halted);
}

// A journal that cannot be read counts as conducted: the caller tries again until its deadline.
bool is_conducted(StateDir& state_dir, const std::string& run) {
    const auto info = state_dir.journal().find_run(run);
    return !info || info->holder.has_value();
}

// Posts the request and waits for its answer. Whether the conductor lives is read before the
// answer, since it may answer and end between the two reads.
AppResult<std::string>
ask_conductor(StateDir& state_dir, const std::string& run, RequestKind kind, Json detail) {
    os::RealClock clock;
    DRYDOCK_TRY_ASSIGN(
        const auto number,
        state_dir.journal().post_request(
            run,
            {0, std::string(name_of(kind)), current_user(), clock.wall_ms(), std::move(detail)}));
    const std::int64_t deadline = clock.monotonic_ms() + k_answer_ms_max;
    bool conducted = true;
    while (conducted && clock.monotonic_ms() < deadline) {
        conducted = is_conducted(state_dir, run);  // looked at before the answer
        const auto request = state_dir.journal().find_request(number);
        if (request && !request->answer.empty()) {
            return request->answer;
        }
        std::this_thread::sleep_for(k_poll);
    }
    return not_answered(run, kind);
}

AppResult<RunStatus> refuse_if_refused(const Options& options,
                                       const std::string& run,
                                       const AppResult<std::string>& answer) {
    DRYDOCK_TRY(answer);
    if (auto reason = run::refusal_of(*answer)) {
        return refuse({"request.refused",
                       std::move(*reason),
                       fmt::format("drydock status -c {}", options.cluster_file),
                       ErrorClass::permanent});
    }
    return status(options, run);
}

// Returns a session that holds the run's lease, or null if another process conducts the run.
AppResult<std::unique_ptr<LocalSession>>
try_take_run(const Options& options, StateDir& state_dir, run::Observer& observer) {
    DRYDOCK_TRY_ASSIGN(auto session, LocalSession::open_current(options, state_dir, observer));
    const Status lease = session->run().take();
    if (!lease && lease.error().code == "journal.lease.held") {
        return std::unique_ptr<LocalSession>();
    }
    DRYDOCK_TRY(lease);
    return session;
}

// Handles a pause or an abort between two runs of a journey: the last run is over, and its
// conductor prepares the next hop. Returns an empty text if the conductor stopped there, else the
// id of the run that it began all the same.
AppResult<std::string> stop_between(StateDir& state_dir, const std::string& run, RequestKind kind) {
    os::RealClock clock;
    DRYDOCK_TRY(state_dir.journal().post_request(
        run, {0, std::string(name_of(kind)), current_user(), clock.wall_ms(), {}}));
    const std::int64_t deadline = clock.monotonic_ms() + k_answer_ms_max;
    while (clock.monotonic_ms() < deadline) {
        const bool conducted = is_conducted(state_dir, run);  // looked at before the next run
        const auto newest = state_dir.current_run(true);
        if (newest && newest->run.id != run) {
            return newest->run.id;
        }
        if (!conducted) {
            return std::string();
        }
        std::this_thread::sleep_for(k_poll);
    }
    return not_answered(run, kind);
}

// Returns the id of a run that is over and whose lease is still held. Its conductor is at work
// between two runs.
std::optional<std::string> hold_between_runs(StateDir& state_dir, RequestKind kind) {
    const auto last = state_dir.current_run(true);
    return run::is_stop(kind) && last && last->state.is_over && last->holder
               ? std::optional(last->run.id)
               : std::nullopt;
}

// Carries out a command: between two runs by a request, in a run by hand if no process conducts it,
// else by a request to its conductor. A dry run only shows the status.
AppResult<RunStatus>
perform_command(const Options& options,
                RequestKind kind,
                const Json& detail,
                run::Observer& observer,
                const std::function<AppResult<RunStatus>(LocalSession&)>& by_hand) {
    DRYDOCK_TRY_ASSIGN(auto state_dir, store_of(options));
    if (const auto last_run = hold_between_runs(state_dir, kind); last_run && !options.dry_run) {
        DRYDOCK_TRY_ASSIGN(const auto next, stop_between(state_dir, *last_run, kind));
        if (next.empty()) {
            return status(options, *last_run);
        }
    }
    DRYDOCK_TRY_ASSIGN(auto info, state_dir.current_run(false));
    if (options.dry_run) {
        return status(options, info.run.id);
    }
    DRYDOCK_TRY_ASSIGN(auto session, try_take_run(options, state_dir, observer));
    return session ? by_hand(*session)
                   : refuse_if_refused(
                         options, info.run.id, ask_conductor(state_dir, info.run.id, kind, detail));
}

}  // namespace

// Looks at the gate twice. The first look gives a good error; the second, under the lease, decides.
AppResult<RunStatus> approve(const Options& options, const std::string& gate) {
    DRYDOCK_TRY_ASSIGN(auto now, status(options));
    const bool open = executor::find_open_gate(now.plan, now.state, gate).has_value();
    if (options.dry_run || (!open && !now.conductor)) {
        return open ? AppResult<RunStatus>(std::move(now)) : gate_not_open(now.plan, now, gate);
    }
    run::Observer silence;
    Json detail;
    detail.set("gate", gate);
    return perform_command(
        options,
        RequestKind::approve,
        detail,
        silence,
        [&](LocalSession& session) -> AppResult<RunStatus> {
            const model::Plan& plan = session.plan();
            const auto gate_now = executor::find_open_gate(plan, session.run().state(), gate);
            return gate_now ? session.status_after(session.run().record(
                                  executor::approval_of(plan, *gate_now, current_user())))
                            : gate_not_open(plan, now, gate);
        });
}

// A run can finish while the abort waits. That is refused with its own error, because nothing was
// given up.
AppResult<RunStatus> abort(const Options& options, run::Observer& observer) {
    Json detail;
    detail.set("give_up_hosts", options.give_up_hosts);
    auto ended =
        perform_command(options, RequestKind::abort, detail, observer, [&](LocalSession& session) {
            return session.status_after(session.run().abort(options.give_up_hosts));
        });
    const bool stands = ended && ended->is_between_runs();
    if (ended && !options.dry_run && !stands && ended->state.phase() == run::Phase::finished) {
        return refuse({"abort.finished",
                       fmt::format("run {} finished before it could be given up", ended->run),
                       fmt::format("drydock status -c {}", options.cluster_file),
                       ErrorClass::permanent});
    }
    return ended;
}

AppResult<RunStatus> note(const Options& options, const std::string& text) {
    run::Observer silence;
    Json detail;
    detail.set("text", text);
    return perform_command(options, RequestKind::note, detail, silence, [&](LocalSession& session) {
        Json event_detail;
        event_detail.set("who", current_user())
            .set("kind", std::string(name_of(RequestKind::note)))
            .set("text", text);
        return session.status_after(
            session.run().record({{run::EventType::run_noted}, std::move(event_detail)}));
    });
}

// By hand there is nothing to pause: without a conductor no work is given out.
AppResult<RunStatus> pause(const Options& options) {
    run::Observer silence;
    return perform_command(
        options,
        RequestKind::pause,
        {},
        silence,
        [&](LocalSession& session) -> AppResult<RunStatus> {
            return refuse(
                {"pause.nobody",
                 fmt::format("nobody conducts run {} right now: there is nothing to pause",
                             session.plan().run),
                 "",
                 ErrorClass::permanent});
        });
}

}  // namespace drydock::app
