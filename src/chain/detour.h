// Detours: what is left where a hop is not clean, among the releases whose chains are known.
#pragma once

#include "chain/chain.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Detour {
    std::vector<std::string> stops;  // releases between the two that make every hop clean
    std::string instead;             // the first release after the goal that one clean hop reaches
    std::string leave_at;  // the newest release before the start with a clean hop to the goal
    // All of it in a sentence.
    [[nodiscard]] std::string text() const;
};

// `releases`: oldest first; `from` and `to` are among them, as Reading::package.
[[nodiscard]] Detour
find_detour(const std::vector<Reading>& releases, std::string_view start, std::string_view goal);

}  // namespace drydock::chain
