#include "sim/run.h"

#include "journal/sqlite/sqlite_journal.h"
#include "sim/night.h"
#include "sim/world.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>

namespace drydock::sim {

namespace {

using transport::Faults;

constexpr int k_budget_max = 4;                     // strikes of one fault in one world
constexpr std::int64_t k_calm_ms = 15 * 60'000;     // from then on nothing goes wrong any more
constexpr std::int64_t k_end_ms = 4 * 60 * 60'000;  // by then it must have ended
constexpr int k_patience = 16;                      // times that a person repairs and resumes
constexpr std::size_t k_torn_bytes = 3000;          // of a page that was being written

// The plan of every world: they begin alike.
const model::Plan& the_plan() {
    static const model::Plan k_plan = [] {
        World quiet(Faults(1), "3.4.23");
        return *quiet.compile("upgrade", "3.4.23", "3.5.21", "roll").plan;
    }();
    return k_plan;
}

// A journal on a disk that loses what was not synced: a conductor that dies leaves half a page
// behind the last one that was.
void keep_on_disk(World& world, const std::string& folder) {
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
    const std::string file = folder + "/journal.db";
    world.keep_in([file] { return *journal::open_sqlite(file); },
                  [file] {
                      std::ofstream log(file + "-wal", std::ios::binary | std::ios::app);
                      log << std::string(k_torn_bytes, '\xa5');
                  });
}

}  // namespace

Outcome run_seed(std::uint64_t seed, const Hardship& hardship) {
    World world(Faults(seed), "3.4.23");
    const model::Plan& plan = the_plan();
    const std::string folder = fmt::format("{}/{}", hardship.scratch, seed);
    Outcome outcome;
    outcome.on_disk = !hardship.scratch.empty() && seed % k_on_disk == 0;
    if (outcome.on_disk) {
        keep_on_disk(world, folder);
    }
    static const Prepared k_prepared(plan, plan.digest());
    world.know(k_prepared);
    Faults dice(seed + 1);
    if (hardship.hostile) {
        world.faults = Faults::hostile(seed, k_budget_max);
        world.site.schedule_faults(plan, k_calm_ms);
    }
    if (hardship.tell) {
        world.site.set_log(hardship.tell);
    }
    SimulationResult ending;
    if (hardship.hostile) {
        Night night(world, dice, k_calm_ms);
        ending = night.play(plan);
    } else {
        ending = world.run_to_completion(plan, {}, k_patience);
    }
    outcome.conductors = ending.conductors;
    outcome.halts = ending.halts;
    outcome.wrong = ending.violations;
    outcome.finished = ending.final_state.state.phase() == run::Phase::finished;
    outcome.faults = count_injected_faults(world.faults);
    if (!outcome.finished || world.clock.monotonic_ms() > k_end_ms) {
        outcome.wrong.push_back({"stuck",
                                 fmt::format("not finished in time, though all was repaired; {}",
                                             ending.final_state.halt["cause"].show())});
    }
    if (outcome.on_disk && outcome.wrong.empty()) {
        std::filesystem::remove_all(folder);
    }
    return outcome;
}

}  // namespace drydock::sim
