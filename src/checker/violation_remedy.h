// The remedy of a violation: what to change, for the author of the pack.
//
// Each sentence must help when it is followed. So it depends on the cause: the store, the members,
// and the guards that there are already. tests/known holds each sentence to a real failure.
#pragma once

#include "checker/counterexample.h"

#include <string>

namespace drydock::checker {

[[nodiscard]] std::string remedy_of(const Model& model, Property property, const Path& walk);
// Returns the remedy for a run that halts although nothing fails: what a person could do then is no
// end of it.
[[nodiscard]] std::string remedy_of_dead_end(const Model& model, const Path& walk);
// Returns the remedy for a state without a way back. `reason` is what the downgrade breaks there.
[[nodiscard]] std::string remedy_of_way_back(const std::string& reason);

}  // namespace drydock::checker
