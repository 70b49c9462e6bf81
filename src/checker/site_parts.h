// The parts of building a site, in the order in which they are called. Each adds values, so the
// questions, which are sets of values, come last.
#pragma once

#include "checker/site.h"

#include <string>
#include <vector>

namespace drydock::checker {

// What each action does to the row; who starts and stops each member.
void add_effects(Site& site);
// The laws that raise formats.
void add_rises(Site& site);
void add_skews(Site& site);
// The conditions of all actions.
void add_questions(Site& site);
// Which actions are quiet: they may be repeated, and nobody who is not ordered with them reads or
// writes what they read or write.
void add_quiet(Site& site);
// Which actions raise a format, if anything, and may as well be skipped.
void add_crowds(Site& site);
// Which actions move nothing that is modelled, promise nothing, and may be repeated.
void add_apart(Site& site);

}  // namespace drydock::checker
