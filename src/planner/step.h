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

// A wait for what the action promises of its member; `ending` becomes the end of its id. It waits
// for nothing before it, and looks whatever `when` says: that is the caller's.
[[nodiscard]] model::Action
look_again(const model::Action& promised, const char* ending, std::string title);

}  // namespace drydock::planner
