// The three stages that a plan goes through before anything is touched, as the program itself runs
// them: the route, the preflight (the planner, then what the plan requires before its first step
// that acts), and the checker.
#pragma once

#include "checker/checker.h"
#include "known/twin.h"

#include <string>
#include <vector>

namespace drydock::known {

// What stands in the way of a plan; nothing if `stage` is empty.
struct Stop {
    std::string stage;  // route, preflight, check
    std::vector<std::string>
        names;         // of policies, risks, requirements or properties; or error codes
    std::string told;  // all that a person is told: what, why, and what to do
};

[[nodiscard]] Stop first_stop(Twin twin);

// A twin's plan, and what the checker found in it. An error where it does not come that far.
struct CheckedPlan {
    model::Plan plan;
    checker::Report report;
};

[[nodiscard]] Result<CheckedPlan> check(Twin twin);

}  // namespace drydock::known
