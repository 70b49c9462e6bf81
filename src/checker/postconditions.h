// Postconditions: what an action promises, observed in the step of its end or in a later one.
#pragma once

#include "checker/expansion.h"

namespace drydock::checker {

// Observes certain postconditions in the step of the end itself. Returns true if they may be missed
// as well: one is not modelled, and a failure is affordable.
bool observe_at_once(const Expansion& expansion, Successor& successor);

// Adds the successor that observes the postconditions of an action that has ended.
void observe_postconditions(Expansion& expansion, Index action);
// Adds the successors in which they are observed, missed, or both if they are not modelled. A miss
// costs a failure only where it is a guess.
void judge_postconditions(Expansion& expansion, Index action);

}  // namespace drydock::checker
