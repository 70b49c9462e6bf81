// Replay: a story of the checker made to come about on the simulated site of its plan, with the
// real runner, judge, agent sessions and journal, to see whether the same thing breaks there.
//
// The checker moves a model; this moves the program. Where the two differ the replay says at which
// turn (Replayed::obstacle) and judges nothing.
#pragma once

#include "base/result.h"
#include "model/plan.h"
#include "sim/site.h"

#include <functional>
#include <string>
#include <vector>

namespace drydock::sim {

struct Replayed {
    std::string property;  // that the story breaks
    std::size_t turns = 0;
    std::size_t told = 0;      // turns that came about
    std::string obstacle;      // why the next one did not; empty: all did
    bool judged = true;        // the simulator judges that property
    bool breaks = false;       // the same property was broken
    std::vector<Wrong> wrong;  // all that was
};

// `trace` is a violation's, as `drydock check --trace` writes it. Error "replay.trace": it cannot
// be read, or speaks of what the plan does not have.
[[nodiscard]] Result<Replayed> replay(const model::Plan& plan,
                                      const std::string& property,
                                      const Json& trace,
                                      const std::function<void(const std::string&)>& tell = {});

}  // namespace drydock::sim
