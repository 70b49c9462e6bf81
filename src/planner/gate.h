// The gate of the point of no return: the pack's own, if it stands where it must, else one that is
// put before what closes the way back.
#pragma once

#include "planner/compile.h"

#include <string>
#include <vector>

namespace drydock::planner {

// Guards `closing`: members whose block holds one of these actions stay as they are until a person
// has approved. `because` and `source` are what a new gate says. Returns the gate's name; indices
// of actions may have moved.
[[nodiscard]] std::string place_gate(Draft& draft,
                                     const std::vector<std::size_t>& closing,
                                     const std::string& because,
                                     const std::string& source);

}  // namespace drydock::planner
