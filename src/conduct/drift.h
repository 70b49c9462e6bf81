// Drift: what of a run's expected world is no longer so, before anything is written.
//
// Blocks for some seconds while something differs: elections pass. One thread.
#pragma once

#include "conduct/reading.h"
#include "model/plan.h"
#include "os/clock.h"
#include "run/state.h"
#include "run/world.h"

#include <vector>

namespace drydock::conduct {

// Facts that a run's expected world speaks of, and the standing requirements that were met once,
// compared with what is read now; read again for some seconds while they differ. `inquiries` are
// those of the plan's sources.
[[nodiscard]] std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                                     const run::State& state,
                                                     Hosts& hosts,
                                                     os::Clock& clock,
                                                     Inquiries& inquiries);
[[nodiscard]] std::vector<run::Drift>
look_for_drift(const model::Plan& plan, const run::State& state, Hosts& hosts, os::Clock& clock);

}  // namespace drydock::conduct
