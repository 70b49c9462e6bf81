// One seeded hostile world from end to end: the whole etcd upgrade while faults strike, then calm,
// in which it must end. What must never be is named in the outcome.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::sim {

struct Outcome {
    bool finished = false;
    int conductors = 0;
    int halts = 0;
    int faults = 0;  // that struck
    std::vector<std::string> wrong;
};

[[nodiscard]] Outcome run_seed(std::uint64_t seed);

}  // namespace drydock::sim
