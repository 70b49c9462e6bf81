// Functions that make plans: surveys without work under way, ids of runs, downgrades.
#pragma once

#include "app/internal.h"

#include <string>

namespace drydock::app {

// Returns an id that is unique enough for one state directory, sorted by time and readable:
// 20261121-205840-7f3a.
[[nodiscard]] std::string make_run_id(const std::string& seed);

// Returns the plan, or all problems that prevent it.
[[nodiscard]] AppResult<model::Plan> finish(planner::Compiled compiled);

// Surveys a cluster without work under way. Waits for such work, and refuses if it lasts.
[[nodiscard]] AppResult<Survey>
survey_quiet(const Options& options, Project project, const planner::PlanNames& naming);

// Returns "the way back closed when roll/m3/start was begun (start m3)", and the reason.
[[nodiscard]] std::string why_closed(const model::Plan& plan, const model::Action& action);

// Plans the downgrade of the newest run. After a finished downgrade of a journey it plans the one
// of the previous hop. Errors: "downgrade.nothing", "downgrade.closed", those of compile().
[[nodiscard]] AppResult<model::Plan> plan_downgrade(const Options& options, StateDir& state_dir);

}  // namespace drydock::app
