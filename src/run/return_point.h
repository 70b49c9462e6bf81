// Return point: tells whether actions that the run has begun have closed the way back.
//
// An action closes it once it may have begun, whatever its outcome. Neither a later fact nor the
// pack opens it again. `downgrade`, `status` and the live table all ask this function.
#pragma once

#include "model/plan.h"
#include "run/state.h"

#include <cstddef>
#include <optional>

namespace drydock::run {

// True if the action closes the way back once it has begun: it is a point of no return, or destroys
// a store that the old release needs.
[[nodiscard]] bool closes_way_back(const model::Plan& plan, const model::Action& action);

// Returns the first action that closes the way back and was begun: the point of no return, or a
// step that destroys a store needed by the old release. Returns nothing if the way back is open.
[[nodiscard]] std::optional<std::size_t> closed_by(const model::Plan& plan, const State& state);

}  // namespace drydock::run
