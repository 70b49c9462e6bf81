// The cause of a violation in one sentence. violation_remedy.h says what to change.
#pragma once

#include "checker/counterexample.h"

#include <string>

namespace drydock::checker {

[[nodiscard]] std::string because_of(const Model& model, Property property, const Path& walk);
// Names the actions that have failed at the end of the path, and what they wait for.
[[nodiscard]] std::string reason_of_halt(const Model& model, const Path& walk);

}  // namespace drydock::checker
