// Whether a conversion was made, by what the survey tells of the levels of stores.
#pragma once

#include "planner/compile.h"

#include <cstdint>
#include <string>

namespace drydock::planner {

enum class Seen : std::uint8_t { yes, no, nothing_tells };

// Whether the stores that the action converts are converted. `member`: whose own store it is, if it
// is one of each member.
[[nodiscard]] Seen
are_converted(const PlanBuilder& draft, const model::Action& action, const std::string& member);

}  // namespace drydock::planner
