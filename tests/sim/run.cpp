#include "sim/run.h"

#include "sim/world.h"

#include <fmt/format.h>

namespace drydock::sim {

namespace {

using transport::Fault;
using transport::Faults;

constexpr int k_budget_max = 4;                  // strikes of one fault in one world
constexpr std::int64_t k_calm_ms = 15 * 60'000;  // from then on nothing goes wrong any more
constexpr std::int64_t k_storm_ms_max = 60'000;  // between two looks whether a member dies
constexpr int k_patience = 12;                   // times that a person repairs and resumes
constexpr int k_deaths_max = 6;

// What strikes by itself, whatever drydock does at that moment.
void plan_storms(World& world) {
    for (std::int64_t at = 0; at < k_calm_ms;) {
        at += world.faults.between(1, k_storm_ms_max);
        world.transport.at(at, [&world] {
            if (world.faults.strikes(Fault::member_dies)) {
                world.etcd.advance(world.clock.monotonic_ms());
                world.etcd.kill_one(world.faults.between(0, 100));
            }
            if (world.faults.strikes(Fault::clock_back)) {
                world.clock.jump_wall(-world.faults.between(1, 3'600'000));
            }
        });
    }
    world.transport.at(k_calm_ms, [&world] { world.faults.calm(); });
}

std::vector<Death> draw_deaths(Faults& dice) {
    std::vector<Death> deaths;
    const auto count = dice.between(0, k_deaths_max);
    for (std::int64_t i = 0; i < count; ++i) {
        const auto where = static_cast<Death::Where>(dice.between(0, 2));
        deaths.push_back({static_cast<std::uint64_t>(dice.between(1, 40)), where});
    }
    return deaths;
}

int count_strikes(const Faults& faults) {
    int strikes = 0;
    for (std::size_t i = 0; i < transport::k_faults; ++i) {
        strikes += faults.struck(static_cast<Fault>(i));
    }
    return strikes;
}

}  // namespace

Outcome run_seed(std::uint64_t seed) {
    World world(Faults(seed), "3.4.23");
    auto compiled = world.compile("upgrade", "3.4.23", "3.5.21", "roll");
    if (!compiled.plan) {
        return {.wrong = {"the quiet cluster gets no plan: " + compiled.problems.front().text()}};
    }
    world.faults = Faults::hostile(seed, k_budget_max);
    plan_storms(world);
    Faults dice(seed + 1);
    const Ending ending = world.see_through(*compiled.plan, draw_deaths(dice), k_patience);
    Outcome outcome = {
        .conductors = ending.conductors, .halts = ending.halts, .wrong = ending.wrong};
    outcome.finished = ending.last.state.phase() == run::Phase::finished;
    outcome.faults = count_strikes(world.faults);
    if (!outcome.finished) {
        outcome.wrong.push_back(fmt::format("never finished, though all was repaired; last: {}",
                                            ending.last.halt["cause"].show()));
    }
    return outcome;
}

}  // namespace drydock::sim
