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
struct Path {
    std::vector<TraceStep> steps;
    std::vector<Byte> row;  // the last one
    Transition last_transition;
    std::vector<Byte> previous_row;  // the row before the last transition
    std::vector<run::CompactEvent> events;
};

// Returns the path to the row `id`; or one step further, to the violation of the property.
[[nodiscard]] Path
path_to(const Model& model, const Options& options, const Search& search, std::uint32_t id);
[[nodiscard]] Path walk_to(const Model& model,
                           const Options& options,
                           const Search& search,
                           const ViolatingStep& breach,
                           Property property);

// Describes the violation for people: the cause, the action to blame, the suggested change.
[[nodiscard]] Violation describe_violation(const Model& model, Property property, Path walk);

// Returns the events of a path as a run records them: from run_created on, with attempt numbers,
// and with a new conductor for each resume.
[[nodiscard]] std::vector<run::CompactEvent>
events_of(const Model& model, const std::vector<run::CompactEvent>& walked);

}  // namespace drydock::checker
