// Simulates runs of a plan seed after seed, and replays a checker's counterexamples in the
// simulator.
//
// Only the first failed runs are kept whole; the sums cover all. A failed run can be repeated from
// its seed alone.
#include "app/internal.h"
#include "os/clock.h"
#include "os/files.h"

#include <fmt/format.h>

namespace drydock::app {

namespace {

constexpr std::size_t k_shown_max = 10;  // runs that went wrong and are told of
constexpr std::size_t k_trace_bytes_max = 64U << 20U;

// Refuses traces of another plan: their steps are numbered by its actions.
Result<Json> read_traces(const model::Plan& plan, const std::string& file) {
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(file, k_trace_bytes_max));
    DRYDOCK_TRY_ASSIGN(Json traces, Json::parse(text));
    if (!traces["violations"].is_array()) {
        return fail("replay.trace",
                    fmt::format("{} holds no stories", file),
                    "use a file that `drydock check PLAN --trace FILE` wrote");
    }
    if (traces["plan"].as_string() != plan.digest()) {
        return fail("replay.trace",
                    fmt::format("{} tells stories of another plan", file),
                    "check this plan again: drydock check PLAN --trace FILE");
    }
    return traces;
}

}  // namespace

AppResult<Simulation> simulate(const model::Plan& plan,
                               std::uint64_t seed,
                               std::uint64_t runs,
                               const std::function<void(const std::string&)>& tell) {
    os::RealClock clock;
    const std::int64_t begun = clock.monotonic_ms();
    Simulation simulation;
    simulation.seed = seed;
    simulation.runs = runs;
    simulation.not_simulated = sim::not_simulated();
    for (std::uint64_t i = 0; i < runs; ++i) {
        DRYDOCK_TRY_ASSIGN(auto run, sim::simulate(plan, seed + i, tell));
        simulation.faults += static_cast<std::uint64_t>(run.faults);
        simulation.conductors += static_cast<std::uint64_t>(run.conductors);
        simulation.halts += static_cast<std::uint64_t>(run.halts);
        if (run.violations.empty()) {
            continue;
        }
        ++simulation.failed_runs;
        if (simulation.examples.size() < k_shown_max) {
            simulation.examples.push_back(std::move(run));
        }
    }
    simulation.took_ms = clock.monotonic_ms() - begun;
    return simulation;
}

// A replay shows whether the real runner breaks in the way that the model predicts.
AppResult<Replay> replay(const model::Plan& plan,
                         const std::string& trace_file,
                         const std::function<void(const std::string&)>& tell) {
    DRYDOCK_TRY_ASSIGN(const auto traces, read_traces(plan, trace_file));
    Replay result;
    result.not_simulated = sim::not_simulated();
    for (const Json& violation : traces["violations"].items()) {
        if (tell) {
            tell(fmt::format("story of {}", violation["property"].as_string()));
        }
        DRYDOCK_TRY_ASSIGN(
            auto story,
            sim::replay(plan, violation["property"].as_string(), violation["trace"], tell));
        result.stories.push_back(std::move(story));
    }
    return result;
}

}  // namespace drydock::app
