// Counterexample: the path to a row, in words and as a trace.
//
// Rows of a search are sorted. So the path is rebuilt from the initial state, with every member
// under its true name.
#pragma once

#include "checker/search.h"

#include <string>
#include <vector>

namespace drydock::checker {

// A path from the initial state.
struct Walk {
    std::vector<Turn> turns;
    std::vector<Byte> row;  // the last one
    Choice last;
    std::vector<Byte> before;  // the row before the last transition
    std::vector<run::Move> events;
};

// Returns the path to the row `id`; or one step further, to the violation of the property.
[[nodiscard]] Walk
walk_to(const Site& site, const Options& options, const Search& search, std::uint32_t id);
[[nodiscard]] Walk walk_to(const Site& site,
                           const Options& options,
                           const Search& search,
                           const Breach& breach,
                           Property property);

// Describes the violation for people: the cause, the action to blame, the suggested change.
[[nodiscard]] Violation tell(const Site& site, Property property, Walk walk);

// Returns the events of a path as a run records them: from its birth, with attempt numbers, and
// with a new conductor for each resume.
[[nodiscard]] std::vector<run::Move> events_of(const Site& site,
                                               const std::vector<run::Move>& walked);

[[nodiscard]] Turn turn_of(const Site& site, const Byte* previous_row, Choice choice);

}  // namespace drydock::checker
