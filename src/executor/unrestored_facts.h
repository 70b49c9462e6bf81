// What an end of a run leaves behind: temporary facts that are not as they were when the plan was
// made.
//
// The records run.finished and run.aborted hold them, so that a person can put them right. Nothing
// is put right by itself: the run is over. One thread.
#pragma once

#include "executor/facts_reader.h"
#include "model/plan.h"
#include "os/clock.h"

namespace drydock::executor {

// Reads the temporary facts of the plan and returns those that are not as they were, as
// to_json(Drift) writes them. Returns an empty list if there are none. A plan without temporary
// facts reads nothing. Blocks until the hosts have answered.
[[nodiscard]] Json read_left_behind(const model::Plan& plan, AgentPool& hosts, os::Clock& clock);

}  // namespace drydock::executor
