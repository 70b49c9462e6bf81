// The folder of an attempt: its files and processes tell its state.
//
// | file             | means                                                          |
// | result.json      | ended                                                          |
// | never.json       | a tombstone: never begun, and it never will                    |
// | lock, held       | running                                                        |
// | containment.json | which processes a supervisor that died may have left behind    |
#pragma once

#include "agent/host.h"

#include <cstdint>
#include <optional>
#include <string>

namespace drydock::agent {

// Returns the state by the files, with progress while the action runs. Returns nothing if there is
// no result, tombstone or held lock: then an agent may be about to start it.
[[nodiscard]] std::optional<ActionState> read_attempt(const std::string& folder);

// Returns the state of a folder for which read_attempt() returned nothing, while no agent is about
// to start it. It is interrupted, or running while processes are left. Removes the containment of
// an interrupted attempt.
[[nodiscard]] ActionState read_interrupted(const std::string& folder);

// Puts the tombstone into the folder, durably. `reason` is for people.
[[nodiscard]] Status write_tombstone(const std::string& folder, std::string_view reason);

// True if nothing of that attempt can happen any more: there is a result or a tombstone.
[[nodiscard]] bool is_closed(const std::string& folder);

// Returns {"output_bytes", "output_tail"} of the output, and the keys of read_reported_progress().
[[nodiscard]] Json read_progress(const std::string& folder);
// Returns {"bytes", "done", "of", "rate", "unit", "waits"} from the command's progress file; an
// empty object without a valid one.
[[nodiscard]] Json read_reported_progress(const std::string& folder);
// True if an amount of the report is another than in the report before. A rate alone is no
// progress.
[[nodiscard]] bool has_moved(const Json& report, const Json& before);

[[nodiscard]] std::string progress_path(const std::string& folder);

// What an action waits for while it makes no progress. Times are Unix times in milliseconds.
struct ActionWait {
    std::string subject;  // "the server to free node port 30649"
    std::int64_t since_ms = 0;
    std::int64_t until_ms = 0;  // when it is given up
    std::string remedy;         // what a person can do
};

// Puts a wait into the progress file, in place of what is there; nothing: it is over. A failed
// write is ignored, since the action itself must not fail because of it.
void write_wait(const std::string& folder, const std::optional<ActionWait>& wait);

// Names the file in which an action keeps its position over all its attempts.
[[nodiscard]] std::string cursor_path(const std::string& folder);

}  // namespace drydock::agent
