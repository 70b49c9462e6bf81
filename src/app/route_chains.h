// Judges hops by the migration chains of a pack's releases: the file releases.chains beside
// releases.yaml (chain/catalogue.h).
#pragma once

#include "base/result.h"
#include "model/pack.h"
#include "planner/planner.h"

#include <functional>
#include <string>

namespace drydock::app {

using ChainQuestion =
    std::function<planner::ChainVerdict(const std::string& start, const std::string& target)>;

// Returns a function that judges any two releases; empty if the pack has no such file.
[[nodiscard]] Result<ChainQuestion> load_chains(const model::Pack& pack);

}  // namespace drydock::app
