// The way back of a drawn plan: one member after the other, from wherever it stands.
#pragma once

#include "model/plan.h"

namespace drydock::reference {

// With `start` false nobody is brought up again: a way back that ends badly. With `reset` it ends
// with steps that bring back what is temporary.
struct WayBack {
    bool start = true;
    bool reset = false;
};

[[nodiscard]] model::Plan
make_back(const model::Plan& plan, const model::FactBook& facts, const WayBack& way);

}  // namespace drydock::reference
