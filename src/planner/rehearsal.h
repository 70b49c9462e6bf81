// Rehearsals: a procedure that tries a hop on a copy of the data.
#pragma once

namespace drydock::planner {

struct PlanBuilder;

// Pass: refuses a rehearsal with a step that would touch more than the copy.
void check_rehearsal(PlanBuilder& draft);

// Pass: adds the result of a rehearsal of this hop, as a note and as words for the way back.
void add_rehearsal(PlanBuilder& draft);

}  // namespace drydock::planner
