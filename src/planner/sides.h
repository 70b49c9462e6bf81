// Sides: a new installation beside the old one, in the same cluster file.
//
// A role with sides becomes two roles before a plan is compiled: `server@source` and
// `server@target`, each with facts, settings and stores of its own. So the passes, the checker, the
// simulator and the runner know only roles, and a change of one side never counts for the other.
#pragma once

#include "base/result.h"
#include "planner/planner.h"

namespace drydock::planner {

[[nodiscard]] bool has_sides(const model::Pack& pack);

struct Split {
    model::Pack pack;
    model::Cluster cluster;
};

// Returns pack and cluster with roles in place of sides. Four tests find the source, in this
// order: the side that alone runs the plan's old release; the side opposite to the one that alone
// runs its new release; the same of the release that is installed, if nothing runs that tells; the
// side that the fact bound to `serving` names. A way back comes from the newer release, so its
// sides are swapped. A cluster without members on sides has two roles without members in place of
// each role with sides. Error: "plan.sides" if no test decides.
[[nodiscard]] Result<Split> split_sides(const Request& request);

}  // namespace drydock::planner
