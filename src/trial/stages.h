// The stages that a plan goes through before anything is touched, as the program itself runs them:
// the route, the preflight (the planner, then what the plan requires before its first step that
// acts), and the checker with the ways back. Pure.
#pragma once

#include "checker/checker.h"
#include "trial/twin.h"

#include <optional>
#include <string>
#include <vector>

namespace drydock::trial {

// What stands in the way of a plan; nothing if `stage` is none.
struct Stop {
    Stage stage = Stage::none;
    std::vector<std::string> names;  // of policies, risks, requirements or properties; or codes
    std::vector<std::string> lines;  // what a person is told: what, why, and what to do

    [[nodiscard]] bool is_there() const { return stage != Stage::none; }

    [[nodiscard]] std::string told() const;  // the lines in one text
};

// A twin's plan, and what the checker found in it.
struct CheckedPlan {
    model::Plan plan;
    checker::Report report;
};

struct Staged {
    Stop stop;
    std::optional<CheckedPlan> checked;  // where it came so far
};

// Takes a twin through the route, the preflight and the check, up to the first stop.
[[nodiscard]] Staged take_through_stages(Twin twin);

}  // namespace drydock::trial
