// Story: the way to a row, told in words and as a trace.
//
// Rows of a search are sorted; a story is walked again from the start with every member under its
// own name.
#pragma once

#include "checker/search.h"

#include <string>
#include <vector>

namespace drydock::checker {

// A walk from the plan's start: what happened, and where it led.
struct Walk {
    std::vector<Turn> turns;
    std::vector<Byte> row;  // where it ends
    Choice last;
    std::vector<Byte> before;  // the row before the last choice
    std::vector<run::Move> events;
};

// To the row `id`; or one step further, to what breaks the property.
[[nodiscard]] Walk
walk_to(const Site& site, const Options& options, const Search& search, std::uint32_t id);
[[nodiscard]] Walk walk_to(const Site& site,
                           const Options& options,
                           const Search& search,
                           const Breach& breach,
                           Property property);

// The violation as a person reads it: what breaks, who is to blame, what to change.
[[nodiscard]] Violation tell(const Site& site, Property property, Walk walk);

// The events of a walk as a run records them: from its birth, with the number of each attempt, and
// with a new conductor for each resume.
[[nodiscard]] std::vector<run::Move> events_of(const Site& site,
                                               const std::vector<run::Move>& walked);

[[nodiscard]] Turn turn_of(const Site& site, const Byte* previous_row, Choice choice);

}  // namespace drydock::checker
