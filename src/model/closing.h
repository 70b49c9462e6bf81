// Closing: with which actions the way back closes, as the checker found it by trying the way back
// from every world of a run; what the planner puts the gate of the point of no return by.
#pragma once

#include <string>
#include <vector>

namespace drydock::model {

struct Closing {
    std::vector<std::string> actions;  // the first ones, of alike members one; empty: nothing does
    std::string because;               // why there is no way back behind the first of them
};

}  // namespace drydock::model
