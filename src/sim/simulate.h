// Simulate: whole runs of a plan in simulated time, one a seed, with the real runner, judge, agent
// sessions and journal, on a system that does what the plan says (plan_system.h).
//
// Half of the time anything can go wrong, then nothing does, and the run must end. The same seed is
// the same run, whatever the machine.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "sim/plan_system.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::sim {

struct Simulated {
    std::uint64_t seed = 0;
    bool finished = false;
    int conductors = 0;
    int halts = 0;
    int faults = 0;            // that struck
    std::int64_t took_ms = 0;  // of simulated time
    std::vector<Wrong> wrong;
};

// Refuses ("sim.obstacle") a plan through which no straight way leads in the model.
[[nodiscard]] Result<Simulated> simulate(const model::Plan& plan,
                                         std::uint64_t seed,
                                         const std::function<void(const std::string&)>& tell = {});

// What a simulation does not know of the real thing, in words.
[[nodiscard]] std::vector<std::string> not_simulated();

}  // namespace drydock::sim
