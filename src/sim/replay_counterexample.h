// Replay: makes a counterexample of the checker happen on a simulated cluster, and looks for the
// same violation. The runner, the condition poller, the agent sessions and the journal are the real
// ones.
//
// The checker moves a model; the replay moves the program. Where the two differ, the result names
// the step (ReplayResult::divergence) and judges nothing.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "sim/simulation.h"

#include <functional>
#include <string>
#include <vector>

namespace drydock::sim {

struct ReplayResult {
    std::string property;  // violated by the counterexample
    std::size_t steps = 0;
    std::size_t steps_replayed = 0;  // steps that happened
    std::string divergence;          // the reason why the next step did not happen; empty: all did
    bool is_judged = true;           // the simulator can judge the property
    bool is_reproduced = false;      // the same property was violated
    std::vector<Violation> violations;  // all violations
};

// `trace` is the trace of a violation, as `drydock check --trace` writes it. Returns the error
// "replay.trace" if it cannot be read, or names a subject that the plan does not have.
[[nodiscard]] Result<ReplayResult> replay(const model::Plan& plan,
                                          const std::string& property,
                                          const Json& trace,
                                          const std::function<void(const std::string&)>& tell = {});

}  // namespace drydock::sim
