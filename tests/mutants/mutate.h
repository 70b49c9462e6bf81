// Mutants: a valid plan, broken in one place, in each way in which a pack or a planner may be
// wrong.
#pragma once

#include "model/plan.h"
#include "mutants/bases.h"

#include <string>
#include <vector>

namespace drydock::mutants {

struct Mutant {
    std::string kind;  // "drop a step"
    std::string what;  // "etcd upgrade 3.5: roll/m1/stop"
    model::Plan plan;
    checker::CompileDowngrade back = {};  // empty: its base's
};

// All that differ from `plan`, in a fixed order.
[[nodiscard]] std::vector<Mutant> mutants_of(const Base& base, const model::Plan& plan);

}  // namespace drydock::mutants
