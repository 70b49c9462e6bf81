// Small random plans: two to four members in one or two roles, one or two stores under drawn laws,
// the usual steps in drawn orders, with drawn guards, promises, gates and flags. Most of them are
// bad plans; that is what they are for. The same seed gives the same plan everywhere.
#pragma once

#include "checker/checker.h"
#include "model/plan.h"

#include <cstdint>

namespace drydock::reference {

struct Drawn {
    model::Plan plan;
    checker::Faults faults;
    checker::CompileDowngrade back;  // empty: no way back is asked for
};

[[nodiscard]] Drawn draw(std::uint64_t seed);
// Members that are alike, mostly, taken one after the other; with a death or a lost host at least.
[[nodiscard]] Drawn draw_chain(std::uint64_t seed);
// A drawn plan with errands: steps that move nothing and ask nothing, behind or beside the others.
[[nodiscard]] Drawn draw_errands(std::uint64_t seed);
// A drawn plan under the laws of what happens (docs/design/0014): each with a chance of its own.
[[nodiscard]] Drawn draw_laws(std::uint64_t seed);
// The same without the laws that came later.
[[nodiscard]] Drawn draw_first_laws(std::uint64_t seed);

}  // namespace drydock::reference
