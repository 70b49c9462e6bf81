// Drift is a difference between a run's expected facts and the facts that are read before the first
// write.
//
// The calls block for some seconds while a difference lasts, since elections pass. One thread.
#pragma once

#include "executor/facts_reader.h"
#include "model/plan.h"
#include "os/clock.h"
#include "run/expected_facts.h"
#include "run/state.h"

#include <vector>

namespace drydock::executor {

// Returns a list of `fact`, `expected`, `found` and `evidence`, as records hold it.
[[nodiscard]] Json to_json(const std::vector<run::Drift>& drift);

// Returns the differences of the expected facts, and of standing requirements that were met once.
// Facts are read again for some seconds while they differ. `inquiries` belong to the plan's
// sources.
[[nodiscard]] std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                                     const run::State& state,
                                                     AgentPool& hosts,
                                                     os::Clock& clock,
                                                     ReadPlanCache& inquiries);
[[nodiscard]] std::vector<run::Drift> look_for_drift(const model::Plan& plan,
                                                     const run::State& state,
                                                     AgentPool& hosts,
                                                     os::Clock& clock);

}  // namespace drydock::executor
