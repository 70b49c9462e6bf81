// Nights of ways back: the downgrades that are compiled from states of an upgrade, run in simulated
// time. The checker has no drift, no time and no two conductors; and it tries a way back without
// faults.
#pragma once

#include "planner/fixture.h"

#include <string>

namespace drydock::planner {

struct Nights {
    int plans = 0;      // ways back that hold by the checker, and were simulated
    std::string wrong;  // what their nights broke, a line each
};

// Compiles the way back from states of the upgrade that its runs come to, and takes one of each
// length, a few of them. Simulates each that the checker lets hold.
[[nodiscard]] Nights simulate_ways_back(const Fixture& site, const char* from, const char* to);

}  // namespace drydock::planner
