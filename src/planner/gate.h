// The gate of the point of no return: the pack's own, if it stands at the right place, else a new
// one before the closing actions.
#pragma once

#include "planner/compile.h"

#include <string>
#include <vector>

namespace drydock::planner {

// Guards `closing`: members whose block holds one of these actions stay as they are until a person
// has approved. A new gate gets `because` and `source`. Returns the gate's name; indices of actions
// may have moved.
[[nodiscard]] std::string place_gate(PlanBuilder& draft,
                                     const std::vector<std::size_t>& closing,
                                     const std::string& because,
                                     const std::string& source);

// Notes for each gate of the plan, whether it counts or not, who is down while it is waited for.
void note_who_waits(PlanBuilder& draft);

}  // namespace drydock::planner
