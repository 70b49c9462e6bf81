// Return point: tells whether the way back is closed by what the run has begun.
//
// An action closes it once it may have begun, whatever becomes of it: neither a later fact nor the
// pack opens the way back again. `downgrade`, `status` and the live table ask this one function.
#pragma once

#include "model/plan.h"
#include "run/state.h"

#include <cstddef>
#include <optional>

namespace drydock::run {

// The first action of the plan that closes the way back and was begun: the point of no return, or a
// step that destroys a store which the old release needs. Nothing if the way back is open.
[[nodiscard]] std::optional<std::size_t> closed_by(const model::Plan& plan, const State& state);

}  // namespace drydock::run
