// Checks of a result that hold for every system, and the random crashes of conductors.
//
// A run must respect three rules: no unrepeatable effect takes place twice, the journal follows the
// grammar of events, and an unfinished run names a cause and a remedy.
#include "run/grammar.h"
#include "sim/simulation.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using transport::Fault;
using transport::Faults;

constexpr int k_deaths_max = 6;
constexpr int k_record_max = 40;
constexpr int k_hangs_of = 4;  // one crash of so many is a hang

bool over(const run::State& state) {
    return state.phase() == run::Phase::finished;
}

}  // namespace

// Agents count effects by run and action, also across crashes of conductors.
std::vector<Violation> find_repeated_effects(Simulation& site, const model::Plan& plan) {
    std::vector<Violation> twice;
    for (const model::Action& action : plan.actions) {
        if (action.host.empty() || action.repeatable != model::Repeatable::no) {
            continue;
        }
        const auto& effects = site.transport.host(action.host).effects();
        const auto count = effects.find(plan.run + ":" + action.id);
        if (count != effects.end() && count->second > 1) {
            twice.push_back({"twice", fmt::format("{} ran {} times", action.id, count->second)});
        }
    }
    return twice;
}

std::vector<Violation> find_grammar_violations(Simulation& site, const model::Plan& plan) {
    const run::Program program(plan);
    const auto events = site.events(plan);
    const std::vector<run::CompactEvent> moves(events.begin(), events.end());
    const auto reason = run::first_violation(program, moves);
    return reason ? std::vector<Violation>{{"grammar", fmt::format("{}: {}", plan.run, *reason)}}
                  : std::vector<Violation>();
}

// An unfinished run is a violation only if it halts without a cause or without a remedy.
std::vector<Violation>
check_result(Simulation& site, const model::Plan& plan, const SimulationResult& ending) {
    std::vector<Violation> wrong = find_repeated_effects(site, plan);
    for (Violation& violation : find_grammar_violations(site, plan)) {
        wrong.push_back(std::move(violation));
    }
    const Json& halt = ending.last.halt;
    const bool has_remedy =
        !halt["cause"].as_string().empty() && !halt["remedy"].as_string().empty();
    if (!over(ending.last.state) && !has_remedy) {
        wrong.push_back(
            {"stuck",
             fmt::format("ends unfinished after {} conductors, and nobody says what to do: {} {}",
                         ending.conductors,
                         halt["cause"].show(),
                         ending.last.error.message)});
    }
    return wrong;
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
        strikes += faults.struck(static_cast<Fault>(i));
    }
    return strikes;
}

}  // namespace drydock::sim
