// What makers of plans share: surveys of a world that stands still, ids of runs, ways back.
#pragma once

#include "app/internal.h"

#include <string>

namespace drydock::app {

// Unique enough for one state folder, sorted by time, readable: 20261121-205840-7f3a.
[[nodiscard]] std::string make_run_id(const std::string& seed);

// The plan, or all that stands in its way.
[[nodiscard]] Answer<model::Plan> finish(planner::Compiled compiled);

// A plan is made of a world that stands still: work that is under way is waited for, or refused.
[[nodiscard]] Answer<Survey>
survey_quiet(const Options& options, Project project, const planner::Naming& naming);

// "the way back closed when roll/m3/start was begun (start m3)", and why that closes it.
[[nodiscard]] std::string why_closed(const model::Plan& plan, const model::Action& action);

// The plan that takes the newest run back; behind a finished way back of a journey, the plan that
// takes back the hop before. Errors: "downgrade.nothing", "downgrade.closed", those of compile().
[[nodiscard]] Answer<model::Plan> plan_downgrade(const Options& options, Store& store);

}  // namespace drydock::app
