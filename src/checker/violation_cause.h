// The cause of a violation in one sentence, and a hint for the author of the pack.
#pragma once

#include "checker/counterexample.h"

#include <string>

namespace drydock::checker {

[[nodiscard]] std::string because_of(const Model& model, Property property, const Path& walk);
[[nodiscard]] std::string hint_of(Property property, const Path& walk);
// Names the actions that have failed at the end of the path, and what they wait for.
[[nodiscard]] std::string reason_of_halt(const Model& model, const Path& walk);

}  // namespace drydock::checker
