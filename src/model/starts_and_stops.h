// Who goes down and who comes up with an action: by its verb, or by effects on the fact that tells
// what a member runs.
#pragma once

#include "model/plan.h"

#include <set>
#include <string>

namespace drydock::model {

struct StartsAndStops {
    std::set<std::string> taken_down;  // at some time of it, by `while` too
    std::set<std::string> left_down;   // at its end
    std::set<std::string> left_up;     // at its end

    [[nodiscard]] bool any() const { return !taken_down.empty() || !left_up.empty(); }
};

// A verb other than `start` that makes a member run restarts it.
[[nodiscard]] StartsAndStops starts_and_stops_of(const Plan& plan, const Action& action);

// True if the effect tells what a member runs.
[[nodiscard]] bool tells_who_runs(const Plan& plan, const Effect& effect);

}  // namespace drydock::model
