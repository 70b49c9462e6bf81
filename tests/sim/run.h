// One seeded hostile world from end to end: the whole etcd upgrade while faults strike, then calm,
// in which it must end. What must never be is named in the outcome.
#pragma once

#include "sim/simulation.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::sim {

struct Outcome {
    bool finished = false;
    bool on_disk = false;  // its journal was a real one
    int conductors = 0;
    int halts = 0;
    int faults = 0;  // that struck
    std::vector<Violation> wrong;
};

// One in `k_on_disk` seeds keeps its journal in SQLite, in a folder of its own below `scratch`.
inline constexpr std::uint64_t k_on_disk = 500;

struct Hardship {
    bool hostile = true;
    std::string scratch;  // empty: all journals are in memory
    std::function<void(const std::string&)> tell;
};

[[nodiscard]] Outcome run_seed(std::uint64_t seed, const Hardship& hardship = {});

}  // namespace drydock::sim
