// One step of the pack on one member (or on the system) as an action, still without its place in
// the order.
#pragma once

#include "planner/compile.h"

namespace drydock::planner {

// `member` may be null: the step is the system's. The action's host is the member's.
[[nodiscard]] Result<model::Action> make_action(const Draft& draft,
                                                const model::PhaseSpec& phase,
                                                const model::StepSpec& step,
                                                const model::Member* member);

}  // namespace drydock::planner
