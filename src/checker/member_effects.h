// Members in a row: up and down, by a command, by a death or by themselves; who leads; what follows
// for the others. Only the effects use these functions; cluster_effects.h has the interface for
// the search.
#pragma once

#include "checker/store_effects.h"

namespace drydock::checker {

// Starts what is installed. On an unreadable store the member stays down, as the real process would
// exit. Returns the properties that the start itself violates.
[[nodiscard]] PropertySet start(const Model& model, const Member& member, Byte* row);
// The same with a release that is told.
[[nodiscard]] PropertySet
start_as(const Model& model, const Member& member, Byte release, Byte* row);
// Lets a member that an action has taken down for a while run as if it had never gone down.
void run_on(const Model& model, const Member& member, Byte release, Byte* row);
// Returns the release of the last member, in the plan's order, that runs and opens the instance;
// k_absent: there is none.
[[nodiscard]] Byte
last_opener(const Model& model, const Store& store, Index instance, const Byte* row);
// True if the member runs on a stale copy, no current one runs, and one is left behind.
[[nodiscard]] bool runs_without_newest(const Model& model, const Member& member, const Byte* row);
// Takes the members of a command down. Those that run leave their stores clean.
void take_down(const Model& model, const std::vector<Index>& leaving, Byte* row);
// Returns the release that a start brings up: the installed one.
[[nodiscard]] Byte release_of(const Member& member, const Byte* row);
// Returns the release that the action brings the member up with. Without a fact of what is
// installed, the action itself tells it.
[[nodiscard]] Byte release_to_start(const ActionModel& act, const Member& member, const Byte* row);
[[nodiscard]] bool is_serving(const Model& model, const Member& member, const Byte* row);
// Lets follow what depends on several members: who is ready, and whose copy is current again.
void settle(const Model& model, Byte* row);

}  // namespace drydock::checker
