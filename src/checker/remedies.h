// Remedies that depend on stores and on quorums. violation_remedy.h has the interface.
#pragma once

#include "checker/counterexample.h"

#include <string>

namespace drydock::checker {

// Returns what to change where a release runs, or starts, on a store that it does not read.
[[nodiscard]] std::string remedy_of_misreading(const Model& model, const Path& walk);
// Returns what to change where a step takes a group below its minimum.
[[nodiscard]] std::string remedy_of_quorum(const Model& model, const Path& walk);
// True if the action starts a member whose stores do not let it up in this row.
[[nodiscard]] bool is_start_refused(const Model& model, Index action, const Byte* row);

}  // namespace drydock::checker
