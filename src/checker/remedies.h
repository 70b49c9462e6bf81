// Remedies that depend on stores and on quorums. violation_remedy.h has the interface.
#pragma once

#include "checker/counterexample.h"

#include <string>

namespace drydock::checker {

// Returns what to change where a release runs, or starts, on a store that it does not read.
[[nodiscard]] std::string remedy_of_misreading(const Model& model, const Path& walk);
// True if the last transition starts a member on what it may open, and not serve.
[[nodiscard]] bool is_misread_at_start(const Model& model, const Path& walk);
// Returns what to change where a step takes a group below its minimum.
[[nodiscard]] std::string remedy_of_quorum(const Model& model, const Path& walk);
// Returns what to change where a store does not let a member up that the action starts, as things
// stand at the end of the path; empty: none does.
[[nodiscard]] std::string remedy_of_refusal(const Model& model, Index action, const Path& walk);

}  // namespace drydock::checker
