// The use case of `drydock rehearse`: a hop walked on a copy of the data, as a run of its own.
#pragma once

#include "app/app.h"

namespace drydock::app {

// Runs the pack's rehearsal of the plan's hop. Errors: those of make_plan() and apply();
// "rehearsal.none" if the pack has none; "rehearsal.touches" if a step would not keep to the copy.
// Nothing is begun then.
[[nodiscard]] AppResult<RunStatus>
rehearse(const Options& options, const model::Plan& plan, run::Observer& observer);

}  // namespace drydock::app
