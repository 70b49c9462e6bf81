// The steps that build a Model, in the order of their calls. Steps add values; predicates are sets
// of values, so they are added after all effects.
#pragma once

#include "checker/site.h"

#include <string>
#include <vector>

namespace drydock::checker {

// Adds the effect of each action on the row, and the actions that start and stop each member.
void add_effects(Site& site);
// Adds the laws that raise formats.
void add_rises(Site& site);
// Adds the releases and roles that may not serve together.
void add_skews(Site& site);
// Adds the conditions of all actions.
void add_questions(Site& site);
// Marks local actions: they may be repeated, and no concurrent action touches the bytes that they
// read or write.
void add_quiet(Site& site);
// Groups interchangeable actions: they may be skipped, and raise a format at most.
void add_crowds(Site& site);
// Marks independent actions: they may be repeated, have no modelled effect and no postconditions.
void add_apart(Site& site);

}  // namespace drydock::checker
