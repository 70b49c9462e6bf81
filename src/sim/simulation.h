// Simulation: a simulated cluster with its conductors and its operator. Conductors start, hang, die
// and start again. A person approves and repairs. Faults are injected at random times. The runner,
// the condition poller and the agents' sessions are the real ones; hosts, network and time are
// simulated (transport/fake), and the system on the hosts is a FakeSystem.
//
// conduct() is the life of one conductor, run_to_completion() a whole run. All randomness comes
// from the seed of the Faults. One thread.
#pragma once

#include "executor/run_session.h"
#include "journal/journal.h"
#include "transport/fake/fake_transport.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::sim {

// The crash of a conductor at the n-th record of its life.
struct CrashPoint {
    enum class Moment { before_commit, after_commit, after_send };
    std::uint64_t record = 0;  // 0: it does not crash
    Moment moment = Moment::before_commit;
    bool hangs = false;  // it hangs instead: another one takes over, then it wakes up
};

// The life of one conductor and the state in which it left the run.
struct ConductorRun {
    bool died = false;
    std::uint64_t records = 0;  // written, or about to be
    run::State state;
    std::string gate;  // waits for a person; empty: none
    Json halt;         // detail of run.halted, if it ended so
    Error error;       // of the journal or of a fence, if it ended so
};

// A violation, by the name that the checker gives its property.
struct Violation {
    std::string property;  // "quorum"
    std::string description;
    bool operator==(const Violation&) const = default;
};

struct SimulationResult {
    ConductorRun final_state;
    int conductors = 0;
    int halts = 0;
    std::vector<Violation> violations;  // empty is good
};

// The parts that all runs of one plan share, for callers with thousands of runs.
struct Prepared {
    explicit Prepared(const model::Plan& prepared_plan, std::string plan_digest = {});

    const model::Plan* plan;
    std::string digest;                                  // empty: it is computed when a run begins
    std::shared_ptr<executor::ReadPlanCache> inquiries;  // shared with every conductor of the plan
};

// The environment of a simulation: its journal, its operator, and hooks for the system.
struct Environment {
    std::function<std::unique_ptr<journal::Journal>()> open_journal;  // the same journal each time
    // A person starts members that died, if the plan has them up or the halt names them.
    std::function<void(const model::Plan&, const ConductorRun&)> repair;
    // A person is about to approve the gate of this name.
    std::function<void(const std::string& gate, std::vector<Violation>&)> at_gate;
    std::function<void()> after_death;  // of a conductor; may be empty, like the next two
    std::function<void(const run::Event&)> on_event = {};  // an event was made durable
    std::function<void()> before_wait =
        {};  // a conductor is about to wait; may throw SimulatedCrash
};

class CrashInjectingJournal;
enum class CommitFault;

class Simulation {
public:
    // All must outlive the simulation.
    Simulation(transport::FakeSystem& system,
               transport::FakeClock& clock,
               transport::Faults& faults,
               Environment environment);

    // Runs one conductor until the run ends or waits for a person, or until the conductor dies.
    // With `approve`, an open gate is approved first.
    ConductorRun
    conduct(const model::Plan& plan, const CrashPoint& death = {}, bool approve = false);

    // Runs conductors one after the other as long as they die. A person approves each gate, and
    // repairs and resumes after a halt: `patience` times, and some more after the fault phase. The
    // n-th conductor dies as deaths[n] says.
    SimulationResult run_to_completion(const model::Plan& plan,
                                       const std::vector<CrashPoint>& deaths,
                                       int patience = 0);

    // Schedules faults until `calm_ms`, independent of the state of the run. From then on no fault
    // happens.
    void schedule_faults(const model::Plan& plan, std::int64_t calm_ms);

    // A person aborts the run while no conductor is at work. Returns the error if that fails.
    // `give_up_hosts`: aborts also if a host does not report its actions in flight.
    Status abort(const model::Plan& plan, const CrashPoint& death = {}, bool give_up_hosts = false);

    // A person takes the run back: lets actions in flight end, compiles the downgrade, conducts it.
    using Compile = std::function<Result<model::Plan>(const model::Plan& forward)>;

    struct Downgrade {
        ConductorRun life;
        std::optional<model::Plan> plan;  // nothing: it did not begin
    };

    Downgrade
    downgrade(const model::Plan& plan, const Compile& compile, const CrashPoint& death = {});

    // A person applies a plan. It begins if no obstacle exists; else ConductorRun::error has the
    // obstacle.
    ConductorRun apply(const model::Plan& plan, const CrashPoint& death = {});

    // Returns the state of the run by its journal, as `drydock status` shows it.
    [[nodiscard]] ConductorRun run_of(const model::Plan& plan);

    // Sets the acts of others while a conductor hangs. By default a new conductor goes on with the
    // run.
    void on_takeover(std::function<void(const model::Plan&)> act) { takeover_ = std::move(act); }

    // Reboots the machine of the conductors: monotonic times from before are void.
    void boot_conductors() { ++conductor_boots_; }

    // From now on, sessions take over hosts that another journal holds.
    void take_over_hosts(bool take_over) { takes_over_hosts_ = take_over; }

    // Reads a run from its journal; one that the journal does not have is untouched.
    [[nodiscard]] executor::RunHistory history(const model::Plan& plan);
    // Computes the state of a run from its journal.
    [[nodiscard]] run::State replay(const model::Plan& plan);
    [[nodiscard]] std::vector<run::Event> events(const model::Plan& plan);

    void advance_time(std::int64_t ms);

    [[nodiscard]] std::int64_t now_ms() const { return clock_.monotonic_ms(); }

    // Writes a line with the time to the log, if there is one.
    void log(const std::string& line);

    // `prepared` must outlive the simulation.
    void use_prepared(const Prepared& prepared) { prepared_[prepared.plan] = &prepared; }

    // Sets the log: it gets events, crashes and faults, a line at a time.
    void set_log(std::function<void(const std::string&)> tell);

    transport::FakeTransport transport;

private:
    class EventListener;
    struct Conductor;

    // The number of repairs that a person still makes.
    struct RetryLimits {
        int in_storms;
        int in_calm;
    };

    [[nodiscard]] Prepared prepared_for(const model::Plan& plan) const;
    void approve_by_hand(const model::Plan& plan);
    ConductorRun run_conductor(Conductor& conductor,
                               const std::function<Status(executor::RunSession&)>& act);
    [[nodiscard]] executor::SessionSettings settings_for(const Prepared& prepared);
    void lose_commit_time();
    [[nodiscard]] CommitFault commit_fault();
    void stand_still();
    void stop_for(std::int64_t ms, bool with_clock);
    void inject_fault(const model::Plan& plan);
    [[nodiscard]] bool
    repair(const model::Plan& plan, const ConductorRun& last, RetryLimits& retries);
    void take_over(const model::Plan& plan, journal::Journal& hung);

    transport::FakeSystem& system_;
    transport::FakeClock& clock_;
    transport::StoppingClock conductor_clock_;
    transport::Faults& faults_;
    Environment environment_;
    std::map<const model::Plan*, const Prepared*> prepared_;
    int conductors_ = 0;
    int conductor_boots_ = 1;
    bool takes_over_hosts_ = false;
    std::function<void(const model::Plan&)> takeover_;
    std::int64_t fault_free_ms_ = 0;  // the end of the fault phase
    std::function<void(const std::string&)> log_;
};

// Returns the unrepeatable actions with more than one effect.
[[nodiscard]] std::vector<Violation> find_repeated_effects(Simulation& site,
                                                           const model::Plan& plan);
// Returns the first event of the journal that no run may record (run/grammar.h).
[[nodiscard]] std::vector<Violation> find_grammar_violations(Simulation& site,
                                                             const model::Plan& plan);
// Returns the violations that every system has in common: effects that took place twice, a journal
// against the grammar, and an unfinished run that names no remedy.
[[nodiscard]] std::vector<Violation>
check_result(Simulation& site, const model::Plan& plan, const SimulationResult& ending);

// Returns the plan as one that takes no run back: the journal of a simulation has no such run, and
// a way back could not begin. The modelled system is still told what the plan is.
[[nodiscard]] model::Plan standing_alone(model::Plan plan);

// Draws the crashes of conductors from a seed.
[[nodiscard]] std::vector<CrashPoint> draw_crash_points(transport::Faults& dice);
[[nodiscard]] int count_injected_faults(const transport::Faults& faults);

}  // namespace drydock::sim
