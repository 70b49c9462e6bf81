// The simulated cluster from outside a conductor: a whole run, the operator's repairs, the faults
// that happen by time, and the random crashes of conductors.
//
// Faults are events of the simulated clock (schedule_faults()): each looks at random whether a
// member dies, a clock steps, a line is cut or a host reboots. After the fault phase none is
// injected, so a run that does not end then is stuck.
#include "sim/simulation.h"

#include "base/check.h"
#include "base/coverage_mark.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace drydock::sim {

namespace {

using run::Event;
using run::EventType;
using transport::Fault;
using transport::Faults;

constexpr int k_lives_max = 400;                   // of one run; more means that it goes in circles
constexpr std::int64_t k_storm_ms_max = 60'000;    // between two injections
constexpr std::int64_t k_cut_ms_max = 120'000;     // longer than the conductor waits for an answer
constexpr std::int64_t k_boot_ms_max = 40'000;     // until a host is back
constexpr std::int64_t k_step_ms_max = 3'600'000;  // of the wall clock
constexpr std::int64_t k_repair_ms = 5'000;        // that a person takes
constexpr int k_tries_after_storms = 16;           // outlasts the consequences of the last fault
constexpr int k_deaths_max = 6;
constexpr int k_record_max = 40;
constexpr int k_hangs_of = 4;  // one crash of so many is a hang

bool over(const run::State& state) {
    return state.phase() == run::Phase::finished;
}

}  // namespace

Prepared::Prepared(const model::Plan& prepared_plan, std::string plan_digest)
    : plan(&prepared_plan)
    , digest(std::move(plan_digest))
    , inquiries(std::make_shared<executor::ReadPlanCache>(prepared_plan.sources)) {
}

Simulation::Simulation(transport::FakeSystem& system,
                       transport::FakeClock& clock,
                       Faults& faults,
                       Environment environment)
    : transport(system, clock, faults)
    , system_(system)
    , clock_(clock)
    , conductor_clock_(clock)
    , faults_(faults)
    , environment_(std::move(environment)) {
}

void Simulation::set_log(std::function<void(const std::string&)> tell) {
    log_ = std::move(tell);
    faults_.on_injection([this](Fault fault) { log(fmt::format("FAULT {}", name_of(fault))); });
}

void Simulation::log(const std::string& line) {
    if (log_) {
        log_(fmt::format("{:9.3f} s  {}", static_cast<double>(clock_.monotonic_ms()) / 1000, line));
    }
}

// A journal without the run has no events.
std::vector<Event> Simulation::events(const model::Plan& plan) {
    const run::EventCodec codec(plan);
    std::vector<Event> events;
    const auto records = environment_.open_journal()->read(plan.run);
    if (!records) {
        return events;
    }
    for (const journal::Record& record : *records) {
        auto decoded = executor::events_of(record, codec);
        CHECK(decoded.has_value());
        std::move(decoded->begin(), decoded->end(), std::back_inserter(events));
    }
    return events;
}

executor::RunHistory Simulation::history(const model::Plan& plan) {
    auto history = executor::read_history(*environment_.open_journal(), plan);
    if (!history) {
        CHECK(history.error().code != "journal.event");
        executor::RunHistory not_begun;
        not_begun.state = run::State(plan.actions.size());
        return not_begun;
    }
    return std::move(*history);
}

run::State Simulation::replay(const model::Plan& plan) {
    return history(plan).state;
}

// A crash is followed by the next conductor, a gate by an approval, a halt by a repair. The loop
// ends when the run is finished or the operator gives up.
SimulationResult Simulation::run_to_completion(const model::Plan& plan,
                                               const std::vector<CrashPoint>& deaths,
                                               int patience) {
    SimulationResult ending;
    RetryLimits retries = {patience, fault_free_ms_ > now_ms() ? k_tries_after_storms : patience};
    bool approve = false;
    while (ending.conductors < k_lives_max) {
        const auto life = static_cast<std::size_t>(ending.conductors++);
        const bool has_crash_point = life < deaths.size();
        ending.final_state = conduct(plan, has_crash_point ? deaths[life] : CrashPoint{}, approve);
        if (ending.final_state.died && environment_.after_death) {
            environment_.after_death();
        }
        if (!ending.final_state.gate.empty()) {
            environment_.at_gate(ending.final_state.gate, ending.violations);
            approve = true;
        } else if (!ending.final_state.died) {
            if (over(ending.final_state.state) || !repair(plan, ending.final_state, retries)) {
                break;
            }
            ++ending.halts;
        }
    }
    return ending;
}

// Returns false if the operator has used up all retries. During the fault phase the last retry
// waits for its end, so faults alone never make a run stuck.
bool Simulation::repair(const model::Plan& plan, const ConductorRun& last, RetryLimits& retries) {
    if (now_ms() < fault_free_ms_ && --retries.in_storms < 0) {
        log("a person waits until it is over");
        advance_time(fault_free_ms_ - now_ms());
    }
    if (now_ms() >= fault_free_ms_ && --retries.in_calm < 0) {
        return false;
    }
    log("a person repairs what is down and resumes");
    environment_.repair(plan, last);
    advance_time(k_repair_ms);
    return true;
}

// A wait may return early.
void Simulation::advance_time(std::int64_t ms) {
    const std::int64_t end = clock_.monotonic_ms() + ms;
    while (clock_.monotonic_ms() < end) {
        transport.wait({}, end - clock_.monotonic_ms());
    }
    system_.advance(end);
}

// Injects at most one fault of each kind. Every random number is drawn from the seed, so the order
// of the draws is part of a run.
void Simulation::inject_fault(const model::Plan& plan) {
    const std::int64_t now = clock_.monotonic_ms();
    const auto some_host = [&] {
        const auto choice = faults_.between(0, static_cast<std::int64_t>(plan.hosts.size()) - 1);
        return std::next(plan.hosts.begin(), choice)->first;
    };
    system_.advance(now);
    if (faults_.should_inject(Fault::member_dies)) {
        system_.kill_one(faults_.between(0, 100));
    }
    if (system_.can_restart() && faults_.should_inject(Fault::member_restarts)) {
        system_.restart_one(faults_.between(0, 100));
    }
    if (faults_.should_inject(Fault::clock_steps)) {
        clock_.jump_wall(faults_.between(-k_step_ms_max, k_step_ms_max));
    }
    if (faults_.should_inject(Fault::host_cut)) {
        transport.partition(some_host(), now + faults_.between(1'000, k_cut_ms_max));
    }
    if (faults_.should_inject(Fault::host_reboots)) {
        const std::string host = some_host();
        if (system_.host_dies(host)) {
            transport.reboot(host, now + faults_.between(5'000, k_boot_ms_max));
        }
    }
}

// The whole schedule is drawn at the start. So it does not depend on the speed of the run.
void Simulation::schedule_faults(const model::Plan& plan, std::int64_t calm_ms) {
    fault_free_ms_ = calm_ms;
    for (std::int64_t time_ms = 0; time_ms < calm_ms;) {
        time_ms += faults_.between(1, k_storm_ms_max);
        transport.at(time_ms, [this, &plan] { inject_fault(plan); });
    }
    transport.at(calm_ms, [this] {
        faults_.stop_faults();
        log("from now on nothing goes wrong any more");
    });
}

// Every crash has its record, its moment and a chance of being a hang.
std::vector<CrashPoint> draw_crash_points(Faults& dice) {
    std::vector<CrashPoint> deaths;
    const auto count = dice.between(0, k_deaths_max);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto moment = static_cast<CrashPoint::Moment>(dice.between(0, 2));
        deaths.push_back({static_cast<std::uint64_t>(dice.between(1, k_record_max)),
                          moment,
                          dice.between(1, k_hangs_of) == 1});
    }
    return deaths;
}

int count_injected_faults(const Faults& faults) {
    int strikes = 0;
    for (std::size_t i = 0; i < transport::k_faults; ++i) {
        strikes += faults.injected(static_cast<Fault>(i));
    }
    return strikes;
}

model::Plan standing_alone(model::Plan plan) {
    plan.reverts_run.clear();
    return plan;
}

}  // namespace drydock::sim
