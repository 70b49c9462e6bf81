// Finds the steps behind a member whose effects on the system are not seen: a member that is down
// may have died before the step that keeps clients out.
#pragma once

#include "planner/compile.h"

#include <cstddef>
#include <set>
#include <vector>

namespace drydock::planner {

// Returns the actions that are to be done all the same, by index. `block`: the actions on one
// member in their order, of which the first `count` are behind it. Of those, the last that sets a
// fact of the system counts. A value that a step gives which may be done already is seen, too.
[[nodiscard]] std::set<std::size_t>
unseen_switches(const PlanBuilder& draft, const std::vector<std::size_t>& block, std::size_t count);

}  // namespace drydock::planner
