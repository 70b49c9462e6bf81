// Simulations of plans: seed after seed, and what became of them.
#include "app/internal.h"
#include "os/clock.h"

namespace drydock::app {

namespace {

constexpr std::size_t k_shown_max = 10;  // runs that went wrong and are told of

}  // namespace

Answer<Simulation> simulate(const model::Plan& plan,
                            std::uint64_t seed,
                            std::uint64_t runs,
                            const std::function<void(const std::string&)>& tell) {
    os::RealClock clock;
    const std::int64_t begun = clock.monotonic_ms();
    Simulation all;
    all.seed = seed;
    all.runs = runs;
    all.not_simulated = sim::not_simulated();
    for (std::uint64_t i = 0; i < runs; ++i) {
        auto run = sim::simulate(plan, seed + i, tell);
        if (!run) {
            return refuse(run.error());
        }
        all.faults += static_cast<std::uint64_t>(run->faults);
        all.conductors += static_cast<std::uint64_t>(run->conductors);
        all.halts += static_cast<std::uint64_t>(run->halts);
        if (run->wrong.empty()) {
            continue;
        }
        ++all.wrong;
        if (all.shown.size() < k_shown_max) {
            all.shown.push_back(std::move(*run));
        }
    }
    all.took_ms = clock.monotonic_ms() - begun;
    return all;
}

}  // namespace drydock::app
