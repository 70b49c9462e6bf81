// What a plan that was read must keep to, so that nothing that acts on it can do harm.
#pragma once

#include "model/plan.h"

namespace drydock::model {

// Names become parts of paths and commands, so they are checked character by character. Each
// reference (host, member, input) must exist, because the runner and the checker index by it
// without a test. Errors: "plan.name", "plan.word", "plan.request", "plan.probe", "plan.action",
// "plan.reference", "plan.derive".
[[nodiscard]] Status check_plan(const Plan& plan);

}  // namespace drydock::model
