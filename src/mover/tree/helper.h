// Helper: every process of a team but rank 0. It does the parcels that rank 0 gives it, with the
// same copier and threads of its own, and keeps nothing: lines and notes go to rank 0.
//
//     help(team);  // until rank 0 has come to its end
#pragma once

#include "mover/tree/team.h"

#include <functional>

namespace drydock::mover::tree {

// Takes part in one copy, or in none if rank 0 makes none. `is_to_stop` is asked often.
void help(Team& team, const std::function<bool()>& is_to_stop);

// Ends the help, whether a copy was made or not. Called by rank 0.
void end_help(Team& team);

}  // namespace drydock::mover::tree
