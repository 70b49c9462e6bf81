// The checker's hint about the return point: the actions with which the way back closes. The
// checker tries the downgrade from every state of a run; the planner puts the gate of the point of
// no return by this.
#pragma once

#include <string>
#include <vector>

namespace drydock::model {

struct ReturnPointHint {
    std::vector<std::string>
        actions;  // the first ones; of interchangeable members one; empty: the way back stays open
    std::string because;  // why there is no way back after the first of them
};

}  // namespace drydock::model
