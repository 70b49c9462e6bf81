// The folder of an attempt: what its files and processes say of its state.
//
// | file             | means                                                          |
// | result.json      | ended                                                          |
// | never.json       | a tombstone: never begun, and it never will                    |
// | lock, held       | running                                                        |
// | containment.json | which processes a supervisor that died may have left behind    |
#pragma once

#include "agent/host.h"

#include <string>

namespace drydock::agent {

// The state by the files, and what the action shows of its progress while it runs. Nothing if there
// is neither a result nor a tombstone nor a lock: then an agent may be about to start it.
[[nodiscard]] std::optional<ActionState> read_attempt(const std::string& folder);

// The state of a folder for which read_attempt() knew nothing, while no agent is about to start
// it: torn, or running while processes are left. Removes the containment of a torn one.
[[nodiscard]] ActionState read_interrupted(const std::string& folder);

// Puts the tombstone into the folder, durably. `reason` is for people.
[[nodiscard]] Status write_tombstone(const std::string& folder, std::string_view reason);

// True if nothing of that attempt can happen any more: a result or a tombstone is there.
[[nodiscard]] bool is_closed(const std::string& folder);

// {"output_bytes", "output_tail"} of what it printed, and {"done", "of", "rate", "unit"} as far as
// its command tells them in its progress file.
[[nodiscard]] Json read_progress(const std::string& folder);
// The part of it that the command tells; an empty object without a valid progress file.
[[nodiscard]] Json read_told_progress(const std::string& folder);

[[nodiscard]] std::string progress_path(const std::string& folder);
// The file in which an action remembers over all its attempts how far it came.
[[nodiscard]] std::string cursor_path(const std::string& folder);

}  // namespace drydock::agent
