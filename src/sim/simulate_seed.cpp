// One simulated run. The order: choose initial facts that let the plan reach its end, build the
// cluster, schedule faults, run conductors until the run ends, check the result.
//
// There are two random sources: one draws the initial facts and the crashes, the other draws the
// faults. Both come from the seed alone, so a failure is repeated by its seed.
#include "sim/simulate_seed.h"

#include "base/text.h"
#include "journal/memory/memory_journal.h"
#include "run/expected_facts.h"

#include <fmt/format.h>

#include <set>

namespace drydock::sim {

namespace {

using transport::Faults;

constexpr int k_budget_max = 4;                       // injections of one fault in one run
constexpr int k_patience = 24;                        // times that a person repairs and resumes
constexpr std::int64_t k_calm_ms = 15 * 60'000;       // the end of the fault phase
constexpr std::int64_t k_grace_ms = 2 * 60 * 60'000;  // beyond the plan's own limits

// Returns the time after which an unfinished run is stuck. Each action may use its two time limits
// twice, besides its soak.
std::int64_t end_ms(const model::Plan& plan) {
    std::int64_t ms = k_calm_ms + k_grace_ms;
    for (const model::Action& action : plan.actions) {
        ms += 2 * (action.timeout_ms + action.guard_timeout_ms) + action.soak_ms;
    }
    return ms;
}

// Where nobody could tell whether a step happened that may not be repeated, a person looks, as its
// remedy says, and takes back what it did. So its effects are counted anew from here on.
void undo_what_nobody_can_tell(Simulation& site, const model::Plan& plan) {
    std::set<std::size_t> undecided;
    for (const run::Event& event : site.events(plan)) {
        if (event.type == run::EventType::action_intended) {
            undecided.erase(event.action);
        } else if (event.purpose == run::Purpose::happened
                   && event.outcome == run::Outcome::cannot_tell) {
            undecided.insert(event.action);
        }
    }
    for (const std::size_t index : undecided) {
        const model::Action& action = plan.actions[index];
        site.transport.host(action.host).forget_effects({plan.run, action.id});
    }
}

}  // namespace

Result<SimulationSummary> simulate(const model::Plan& plan,
                                   std::uint64_t seed,
                                   const std::function<void(const std::string&)>& tell) {
    Faults dice(seed + 1);
    const InitialFacts rehearsed = choose_initial_facts(plan, dice);
    if (!rehearsed.obstacle.empty()) {
        return fail("sim.obstacle",
                    fmt::format("the model of this plan has no straight way to its end: {}",
                                rehearsed.obstacle),
                    "a fact that nothing in the plan changes stands in the way; `drydock check` "
                    "needs no values");
    }
    transport::FakeClock clock;
    Faults faults = Faults::hostile(seed, k_budget_max);
    ModelledSystem system(plan, rehearsed, faults);
    const auto store = journal::make_memory_store();
    Simulation site(
        system,
        clock,
        faults,
        {[store] { return journal::open_memory(store); },
         [&](const model::Plan& run_plan, const ConductorRun& life) {
             system.repair(life.halt, run::expected_facts(run_plan, life.state));
             system.undo_half_done(life.halt);
             undo_what_nobody_can_tell(site, run_plan);
         },
         [&](const std::string& gate, std::vector<Violation>&) { system.approve(gate); },
         {}});
    if (tell) {
        site.set_log(tell);
    }
    const model::Plan conducted = standing_alone(plan);
    site.schedule_faults(conducted, k_calm_ms);
    const SimulationResult ending =
        site.run_to_completion(conducted, draw_crash_points(dice), k_patience);
    // Violations come from three places: the system records them, the result is checked, and the
    // whole run has a time limit.
    SimulationSummary summary;
    summary.seed = seed;
    summary.finished = ending.final_state.state.phase() == run::Phase::finished;
    summary.conductors = ending.conductors;
    summary.halts = ending.halts;
    summary.faults = count_injected_faults(faults);
    summary.took_ms = clock.monotonic_ms();
    summary.violations = system.violations();
    for (Violation& violation : check_result(site, conducted, ending)) {
        summary.violations.push_back(std::move(violation));
    }
    for (Violation& violation :
         summary.finished ? system.left_behind() : std::vector<Violation>()) {
        summary.violations.push_back(std::move(violation));
    }
    if (!summary.finished || summary.took_ms > end_ms(plan)) {
        summary.violations.push_back(
            {"stuck",
             fmt::format("not finished after {}, though all was repaired: {}",
                         show_duration(summary.took_ms),
                         ending.final_state.halt["cause"].show())});
    }
    return summary;
}

std::vector<std::string> not_simulated() {
    return {"what the plan does not declare: other effects of an action, other software, disks, "
            "what is in the stores",
            "values of facts beyond those that the plan's conditions speak of",
            "that acknowledged writes survive (lost-writes) and the way back (no-way-back): "
            "`drydock check` asks those"};
}

}  // namespace drydock::sim
