// Turns one step of the pack into an action on one member, or on the system. The action has no
// place in the order yet.
#pragma once

#include "planner/compile.h"

namespace drydock::planner {

// Returns the action. `member` may be null for a step of the system. The action's host is the
// member's.
[[nodiscard]] Result<model::Action> make_action(const PlanBuilder& draft,
                                                const model::PhaseSpec& phase,
                                                const model::StepSpec& step,
                                                const model::Member* member);

// Returns a wait for the action's postconditions on its member; `ending` is appended to the id. It
// has no predecessors, and its `when` is empty: the caller decides both.
[[nodiscard]] model::Action
look_again(const model::Action& promised, const char* ending, std::string title);

}  // namespace drydock::planner
