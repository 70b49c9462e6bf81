// Local actions: no other action can observe the outcome of a local action, so a lost one is
// resolved before any other step. In the literature this is an ample set of one invisible
// transition. docs/design/0004, "Quiet actions", has the argument.
//
// It keeps verdicts, but not the lengths of counterexamples.
#pragma once

#include "checker/conductor_steps.h"
#include "checker/expansion.h"

#include <vector>

namespace drydock::checker {

// Returns true if a local action was resolved; then its successors are the only ones.
[[nodiscard]] bool resolve_local_action(Expansion& expansion,
                                        const std::vector<run::Command>& commands,
                                        ConductorSteps& conductor);

}  // namespace drydock::checker
