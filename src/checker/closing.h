// Where the way back closes: the first actions behind which the downgrade, compiled in the world
// that they leave, does not end well, there and in every world that comes after. Looked for in a
// run in which nothing fails; what is in flight counts as not begun, as after a halt. Where there
// is no way back for a while only, the pack is at fault: that is a violation, and no point of no
// return.
#pragma once

#include "checker/back.h"
#include "model/closing.h"

#include <optional>

namespace drydock::checker {

// Nothing: too much to look at, or there is no way back before the first action either.
[[nodiscard]] std::optional<model::Closing>
find_closing(const Site& site, const Options& options, WaysBack& ways);

}  // namespace drydock::checker
