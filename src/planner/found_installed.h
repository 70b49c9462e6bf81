// Members under which the survey found another release than they run.
#pragma once

#include "planner/compile.h"

namespace drydock::planner {

// Notes those whose start by itself would close the way back before anybody could be asked.
void note_found_installed(PlanBuilder& draft);

}  // namespace drydock::planner
