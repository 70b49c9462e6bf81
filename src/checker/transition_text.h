// The words of each transition: a sentence for people, and a step of a trace for replays.
#pragma once

#include "checker/checker.h"
#include "checker/successor_batch.h"

#include <string>
#include <vector>

namespace drydock::checker {

// True if the index of a transition of this kind is an action, or a member.
[[nodiscard]] bool is_about_action(TransitionKind kind);
[[nodiscard]] bool is_about_member(TransitionKind kind);

// Returns the sentence and the trace of a transition from the row.
[[nodiscard]] TraceStep
trace_step_of(const Model& model, const Byte* previous_row, Transition choice);

// Returns the step of a path that no single transition shows.
[[nodiscard]] TraceStep settled_step();

// Returns the first of the conditions that does not hold in the row, in words; empty: none is known
// not to hold.
[[nodiscard]] std::string unmet(const Model& model,
                                const std::vector<model::Condition>& conditions,
                                const std::vector<Predicate>& predicates,
                                const Byte* row);

}  // namespace drydock::checker
