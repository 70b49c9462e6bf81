// Start here: simulates whole runs of a plan in simulated time, one a seed. The real runner,
// condition poller, agent sessions and journal act on a system that behaves as the plan declares.
//
// In the first minutes any fault may happen. Then none does, and the run must end. A seed gives the
// same run on every machine.
//
// Reading order: simulation.h (a simulated cluster and its conductors), crash_injection.h (crashes
// and delays of a conductor), modelled_system.h (the system by its plan), modelled_stores.h (its
// stores), condition_solver.h (facts that satisfy conditions). Then replay_counterexample.h and
// trace_replayer.h: counterexamples of the checker on the same cluster.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "sim/modelled_system.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::sim {

struct SimulationSummary {
    std::uint64_t seed = 0;
    bool finished = false;
    int conductors = 0;
    int halts = 0;
    int faults = 0;            // injected
    std::int64_t took_ms = 0;  // of simulated time
    std::vector<Violation> violations;
};

// Simulates one run. Returns the error "sim.obstacle" if the plan does not reach its end in the
// model even without faults.
[[nodiscard]] Result<SimulationSummary>
simulate(const model::Plan& plan,
         std::uint64_t seed,
         const std::function<void(const std::string&)>& tell = {});

// Returns sentences about the limits of a simulation.
[[nodiscard]] std::vector<std::string> not_simulated();

}  // namespace drydock::sim
