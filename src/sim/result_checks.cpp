// Checks of a result that hold for every system.
//
// A run must respect three rules: no unrepeatable effect takes place twice, the journal follows the
// grammar of events, and an unfinished run names a cause and a remedy.
#include "run/grammar.h"
#include "sim/simulation.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

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
    const Json& halt = ending.final_state.halt;
    const bool has_remedy =
        !halt["cause"].as_string().empty() && !halt["remedy"].as_string().empty();
    if (!over(ending.final_state.state) && !has_remedy) {
        wrong.push_back(
            {"stuck",
             fmt::format("ends unfinished after {} conductors, and nobody says what to do: {} {}",
                         ending.conductors,
                         halt["cause"].show(),
                         ending.final_state.error.message)});
    }
    return wrong;
}

}  // namespace drydock::sim
