// Sides: a new installation beside the old one, on the same cluster file.
//
// A role with sides becomes two roles before a plan is compiled: `server@source` and
// `server@target`, with facts, settings and stores of their own. So each pass, the checker, the
// simulator and the runner see roles as ever: what is done to one side never counts for the other.
#pragma once

#include "base/result.h"
#include "planner/planner.h"

namespace drydock::planner {

[[nodiscard]] bool has_sides(const model::Pack& pack);

struct Split {
    model::Pack pack;
    model::Cluster cluster;
};

// The source is the side that runs the release that the plan comes from; where both do or neither
// does, the target is the one that runs the release it leads to; where that tells nothing either,
// the source is the one whose name the fact bound to `serving` has. So a way back, which comes from
// the newer release, has them the other way round. "plan.sides" if nobody can tell.
[[nodiscard]] Result<Split> split_sides(const Request& request);

}  // namespace drydock::planner
