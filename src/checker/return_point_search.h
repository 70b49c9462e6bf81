// Finds the return point: the first actions after which no downgrade ends well, neither in the
// state that they leave nor in a later one. The downgrade is compiled in each state of a search
// without faults. Actions in flight count as not begun, as after a halt. A state that lacks a
// downgrade only for a while is an error of the pack: a violation, and no point of no return.
#pragma once

#include "checker/downgrade_check.h"
#include "model/return_point_hint.h"

#include <optional>

namespace drydock::checker {

// Returns nothing if the search is too large, or if no downgrade works before the first action.
[[nodiscard]] std::optional<model::ReturnPointHint>
find_closing(const Model& model, const Options& options, DowngradeChecker& ways);

}  // namespace drydock::checker
