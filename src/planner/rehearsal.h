// Rehearsals: a procedure that walks a hop on a copy of the data.
#pragma once

#include <string_view>

namespace drydock::planner {

struct Draft;

// The procedure that changes nothing but a copy.
inline constexpr std::string_view k_rehearsal = "rehearsal";

// Pass: refuses a rehearsal with a step that would not keep to the copy.
void check_rehearsal(Draft& draft);

// Pass: what a rehearsal of this hop found, as a note and as words for the way back.
void add_rehearsal(Draft& draft);

}  // namespace drydock::planner
