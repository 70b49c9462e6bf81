// Temporary facts: what a plan switches for its own time, such as a freeze.
//
// An end of the plan leaves them as they were when it was made. find_left_behind() compares them;
// the runner, `abort` and the simulator ask it at the end. Pure functions.
#pragma once

#include "model/plan.h"
#include "run/expected_facts.h"

#include <string>
#include <vector>

namespace drydock::run {

// True for a plan that takes an upgrade back.
[[nodiscard]] bool is_way_back(const model::Plan& plan);

// Returns the keys of the temporary facts that the end of this plan has to leave as they were. A
// fact that is temporary until a way back counts only for a way back.
[[nodiscard]] std::vector<std::string> temporaries_to_restore(const model::Plan& plan);

// Returns those keys, and with each fact that only a process tells the key of the fact that says
// whether its member runs.
[[nodiscard]] std::vector<std::string> facts_that_tell_what_is_left(const model::Plan& plan);

// Returns the temporary facts that are not as they were when the plan was made. A fact that cannot
// be read counts, too: nobody knows that it is as it was.
[[nodiscard]] std::vector<Drift> find_left_behind(const model::Plan& plan,
                                                  const model::FactBook& observed);

}  // namespace drydock::run
