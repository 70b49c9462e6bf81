// Conductors of a simulation. Each is a real session over a journal and a transport that may crash,
// hang or delay it.
//
// A conductor lives in run_conductor(): from the lease to the end of the run, a gate, a halt or a
// crash. Nothing but the journal outlives it. The acts of the operator (approve, abort, apply,
// downgrade) are sessions of their own, with conductors that may crash, too.
#include "base/coverage_mark.h"
#include "executor/gate_approval.h"
#include "run/return_point.h"
#include "sim/crash_injection.h"
#include "sim/simulation.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using run::Event;
using run::EventType;
using transport::Fault;

constexpr std::int64_t k_turn_ms_max = 5'000;     // between two reads of requests
constexpr std::int64_t k_commit_ms_max = 20'000;  // of a slow disk
constexpr std::int64_t k_stop_ms_max =
    120'000;  // longer than facts stay fresh, and than hosts wait

// Returns a line of the log for an event. Events of the run as a whole have no action.
std::string text_of_event(const model::Plan& plan, const Event& event) {
    const std::string action = plan.actions.empty() || !run::is_of_action(event.type)
                                   ? ""
                                   : " " + plan.actions[event.action].id;
    std::string text = fmt::format("{}{}", run::name_of(event.type), action);
    if (event.purpose != run::Purpose::none) {
        text += fmt::format(" ({})", run::name_of(event.purpose));
    }
    if (event.outcome != run::Outcome::none) {
        text += fmt::format(": {}", run::name_of(event.outcome));
    }
    const std::string& reason =
        event.detail[event.detail.contains("cause") ? "cause" : "because"].as_string();
    return reason.empty() ? text : fmt::format("{}, {}", text, reason);
}

}  // namespace

// Listens to the events that a conductor makes durable: keeps the halt, informs the hooks and the
// log.
class Simulation::EventListener final : public run::Observer {
public:
    EventListener(Simulation& site, int conductor) : site_(site), conductor_(conductor) {}

    void on_event(const Event& event, const model::Plan& plan, const run::State&) override {
        if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
            halt = event.detail;
        }
        if (site_.environment_.on_event) {
            site_.environment_.on_event(event);
        }
        if (site_.log_) {
            site_.log(fmt::format("conductor {}: {}", conductor_, text_of_event(plan, event)));
        }
    }

    Json halt;

private:
    Simulation& site_;
    int conductor_;
};

// A conductor with its journal, transport and session. Members are built in this order: the session
// uses all others.
struct Simulation::Conductor {
    Conductor(Simulation& site, const model::Plan& plan, const CrashPoint& death)
        : prepared(site.prepared_for(plan))
        , journal(
              site.environment_.open_journal(),
              death,
              [&site, &plan](journal::Journal& hung) { site.take_over(plan, hung); },
              [&site] { return site.commit_fault(); },
              {[&site] { site.lose_commit_time(); }, [&site] { site.stand_still(); }})
        , transport(site.transport, journal, site.environment_.before_wait)
        , ear(site, ++site.conductors_)
        , session(
              plan, {journal, transport, site.conductor_clock_, ear}, site.settings_for(prepared)) {
    }

    Prepared prepared;
    CrashInjectingJournal journal;
    CrashInjectingTransport transport;
    EventListener ear;
    executor::RunSession session;
};

// Runs while a conductor hangs. The others take it for dead: its lease is released, and a new
// conductor goes on as far as it can. The hanging one then wakes up with an old lease and must
// notice that.
void Simulation::take_over(const model::Plan& plan, journal::Journal& hung) {
    log("it hangs; another conductor takes over");
    hung.release_lease(plan.run);
    if (takeover_) {
        takeover_(plan);
    } else {
        (void)conduct(plan);
    }
    log("the one that hung wakes up");
}

// Computes the shared parts if the caller has not prepared this plan.
Prepared Simulation::prepared_for(const model::Plan& plan) const {
    const auto entry = prepared_.find(&plan);
    return entry != prepared_.end() ? *entry->second : Prepared(plan);
}

executor::SessionSettings Simulation::settings_for(const Prepared& prepared) {
    executor::SessionSettings settings;
    settings.holder = {"sim", conductors_, clock_.wall_ms()};
    settings.user = "a person";
    settings.boot_id = fmt::format("conductor-{}", conductor_boots_);
    settings.addresses = executor::addresses_of(prepared.plan->hosts);
    settings.take_over = takes_over_hosts_;
    settings.wait_ms_max = k_turn_ms_max;
    settings.inquiries = prepared.inquiries;
    settings.digest = prepared.digest;
    return settings;
}

// With `with_clock` the machine sleeps: the conductor's monotonic clock stands still, too. So it
// cannot see that time has passed.
void Simulation::stop_for(std::int64_t ms, bool with_clock) {
    const std::int64_t begun = clock_.monotonic_ms();
    advance_time(ms);
    if (with_clock) {
        conductor_clock_.add_stopped_time(clock_.monotonic_ms() - begun);
    }
}

// A slow commit delays the conductor, and its clock runs on.
void Simulation::lose_commit_time() {
    stand_still();
    if (faults_.should_inject(Fault::commit_slow)) {
        COVERAGE_MARK("sim: a commit takes long");
        stop_for(faults_.between(1, k_commit_ms_max), false);
    }
}

// Draws the fault of the next commit. The order of the draws is part of a run.
CommitFault Simulation::commit_fault() {
    if (faults_.should_inject(Fault::journal_full)) {
        return CommitFault::full;
    }
    if (faults_.should_inject(Fault::commit_busy)) {
        return CommitFault::busy;
    }
    return faults_.should_inject(Fault::commit_unknown) ? CommitFault::unknown : CommitFault::none;
}

// Stops the process, or its machine, perhaps for longer than facts stay fresh.
void Simulation::stand_still() {
    if (faults_.should_inject(Fault::process_stopped)) {
        COVERAGE_MARK("sim: a conductor stands still");
        stop_for(faults_.between(1, k_stop_ms_max), false);
    }
    if (faults_.should_inject(Fault::machine_stopped)) {
        COVERAGE_MARK("sim: the machine of a conductor stands still, and its clock");
        stop_for(faults_.between(1, k_stop_ms_max), true);
    }
}

// A person approves the open gate in a process of its own, while no conductor is at work.
void Simulation::approve_by_hand(const model::Plan& plan) {
    Conductor person(*this, plan, {});
    if (!person.session.take()) {
        return;
    }
    const auto gate = executor::find_open_gate(plan, person.session.state(), "");
    if (gate) {
        log(fmt::format("a person approves {}", plan.actions[*gate].gate));
        (void)person.session.record(executor::approval_of(plan, *gate, "a person"));
    }
}

ConductorRun Simulation::run_of(const model::Plan& plan) {
    ConductorRun life;
    executor::RunHistory read = history(plan);
    life.state = std::move(read.state);
    life.halt = std::move(read.halted);
    const auto gate = executor::find_open_gate(plan, life.state, "");
    life.gate = gate ? plan.actions[*gate].gate : "";
    return life;
}

// Runs one conductor from its lease to its end. A conductor that crashed, failed or slept knows an
// old state, so then the state is read from the journal.
ConductorRun Simulation::run_conductor(Conductor& conductor,
                                       const std::function<Status(executor::RunSession&)>& act) {
    const model::Plan& plan = *conductor.prepared.plan;
    ConductorRun life;
    try {
        const Status status = act(conductor.session);
        life.error = status ? Error() : status.error();
    } catch (const SimulatedCrash&) {
        life.died = true;
        log("it dies");
    }
    conductor.journal.release_lease(plan.run);
    life.records = conductor.journal.records();
    life.halt = conductor.journal.has_slept() ? history(plan).halted : conductor.ear.halt;
    const bool knows = !life.died && life.error.code.empty() && !conductor.journal.has_slept();
    life.state = knows ? conductor.session.state() : replay(plan);
    if (const auto gate = executor::find_open_gate(plan, life.state, ""); gate && !life.died) {
        life.gate = plan.actions[*gate].gate;
    }
    return life;
}

// Begins the run if the journal does not have it; else takes it over.
ConductorRun Simulation::conduct(const model::Plan& plan, const CrashPoint& death, bool approve) {
    if (approve) {
        approve_by_hand(plan);
    }
    Conductor conductor(*this, plan, death);
    return run_conductor(conductor, [&](executor::RunSession& session) -> Status {
        const bool is_there = conductor.journal.find_run(plan.run).has_value();
        DRYDOCK_TRY(is_there ? session.take() : session.begin({}));
        return session.conduct();
    });
}

Status Simulation::abort(const model::Plan& plan, const CrashPoint& death, bool give_up_hosts) {
    Conductor conductor(*this, plan, death);
    const ConductorRun life =
        run_conductor(conductor, [&](executor::RunSession& session) -> Status {
            DRYDOCK_TRY(session.take());
            DRYDOCK_TRY(session.abort(give_up_hosts));
            const auto& obstacle = session.obstacle().error;
            return obstacle ? Status(tl::unexpected(*obstacle)) : Status();
        });
    if (life.died) {
        return fail("sim.died", "the one who aborted died");
    }
    return life.error.code.empty() ? Status() : Status(tl::unexpected(life.error));
}

// Looks for obstacles first, as `drydock apply` does. Facts that moved since the plan was made are
// an obstacle.
ConductorRun Simulation::apply(const model::Plan& plan, const CrashPoint& death) {
    Conductor conductor(*this, plan, death);
    return run_conductor(conductor, [&](executor::RunSession& session) -> Status {
        const executor::Obstacle obstacle = session.look_before_begin();
        if (obstacle.error) {
            return tl::unexpected(*obstacle.error);
        }
        if (!obstacle.drift.empty()) {
            COVERAGE_MARK("sim: a plan is applied in a world that moved");
            return fail("run.drift", obstacle.drift.front().key);
        }
        DRYDOCK_TRY(session.begin({}));
        return session.conduct();
    });
}

// The forward run is drained first, so the downgrade starts with no action in flight. If that
// session fails, no downgrade begins.
Simulation::Downgrade
Simulation::downgrade(const model::Plan& plan, const Compile& compile, const CrashPoint& death) {
    Conductor forward(*this, plan, death);
    std::optional<model::Plan> downgrade_plan;
    const ConductorRun forward_run =
        run_conductor(forward, [&](executor::RunSession& session) -> Status {
            DRYDOCK_TRY(session.take());
            DRYDOCK_TRY(session.drain_for_downgrade());
            if (const auto& obstacle = session.obstacle().error) {
                return tl::unexpected(*obstacle);
            }
            if (run::closed_by(plan, session.state())) {
                COVERAGE_MARK("sim: the way back is closed");
                return fail("downgrade.closed", "the way back is closed");
            }
            DRYDOCK_TRY_ASSIGN(downgrade_plan, compile(plan));
            return {};
        });
    if (!downgrade_plan) {
        return {forward_run, std::nullopt};
    }
    ConductorRun life = conduct(*downgrade_plan);
    const bool has_begun = environment_.open_journal()->find_run(downgrade_plan->run).has_value();
    return {std::move(life), has_begun ? std::move(downgrade_plan) : std::nullopt};
}

}  // namespace drydock::sim
