// Members under which the survey found another release than they run, or that it found down.
#pragma once

#include "planner/compile.h"

namespace drydock::planner {

// Notes those whose start by itself would close the way back before anybody could be asked.
void note_found_installed(PlanBuilder& draft);
// Notes members that were found down and open a store whose format nobody can tell.
void note_formats_untold(PlanBuilder& draft);

}  // namespace drydock::planner
