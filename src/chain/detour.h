// Detours: the remaining ways where a hop is not clean, among the releases with known chains.
#pragma once

#include "chain/chain.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Detour {
    std::vector<std::string> stops;  // releases in between that make every hop clean
    std::string later_goal;          // first release after the goal with a clean hop to it
    std::string earlier_start;       // newest release before the start with a clean hop to the goal
    // Returns all of it in one sentence.
    [[nodiscard]] std::string text() const;
};

// Finds the detours from `start` to `goal`. `releases` go oldest first; both names are among them,
// as Reading::package.
[[nodiscard]] Detour
find_detour(const std::vector<Reading>& releases, std::string_view start, std::string_view goal);

}  // namespace drydock::chain
