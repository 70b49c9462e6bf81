// Outages of a plan: where a gate may stand so that nobody waits for a person while a member is
// down.
//
// A member is down if the last effect on it says that it does not run, or is not ready. A member
// that no later step brings up is away for good: nobody waits for it. But the member of the closing
// action itself counts always. A member that the survey found down counts as taken down by its
// first step that switches or moves it. Where a closing action is a start, a member of that role
// counts from its install on, too: it may come up by itself as what is installed.
#pragma once

#include "planner/compile.h"

#include <vector>

namespace drydock::planner {

// Returns where a gate for `closing` is to stand: right before each of these actions, or, if
// somebody is down right before it, before the steps that took them down, each with its block.
// Nobody is down there who comes back later. None of the places comes after another one.
[[nodiscard]] std::vector<std::size_t> fronts_of_outage(const PlanBuilder& draft,
                                                        const std::vector<std::size_t>& closing);

// Returns the first steps of the blocks of `closing`: of its phase, on its member. An action in
// whose block nobody was down stands for itself.
[[nodiscard]] std::vector<std::size_t> fronts_of_blocks(const PlanBuilder& draft,
                                                        const std::vector<std::size_t>& closing);

// Returns who is down while the gate is waited for: they went down before it, and come up behind
// it.
[[nodiscard]] std::vector<std::string> down_at(const PlanBuilder& draft, std::size_t gate);

// True if the action makes a member run or be ready.
[[nodiscard]] bool brings_up(const PlanBuilder& draft, const model::Action& action);

}  // namespace drydock::planner
