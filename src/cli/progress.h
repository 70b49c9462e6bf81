// Progress: the state of a run as people see it: each member, the work in flight, the rest. Pure.
// The live table and `status` show it.
#pragma once

#include "cli/screen.h"
#include "model/plan.h"
#include "run/state.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drydock::cli {

struct MemberProgress {
    std::string name;
    std::string version;  // as the finished actions leave it; "down", "..." while it changes
    std::string ready;    // "ready", "not ready", or empty
    std::string step;     // "done", "stop", "held for the gate"
    Tone tone = Tone::plain;
    bool busy = false;
};

[[nodiscard]] std::vector<MemberProgress> members_of(const model::Plan& plan,
                                                     const run::State& state);

struct Progress {
    std::size_t steps_done = 0;
    std::size_t steps = 0;
    std::int64_t left_ms = 0;  // of the actions that are not over; soaks apart
};

// The progress of actions in flight, as their commands report it: {done, of, rate, unit, bytes,
// waits}.
using ActionProgress = std::map<std::size_t, Json>;
// An action that tells how much is left counts with that time.
[[nodiscard]] Progress
progress_of(const model::Plan& plan, const run::State& state, const ActionProgress& reports = {});
// Returns progress_entry() for each action in flight that reports progress.
[[nodiscard]] Json
progress_list(const model::Plan& plan, const run::State& state, const ActionProgress& progress);
// Returns `action` (its id), the report of its command, and `percent` and `left_ms` where they are
// known.
[[nodiscard]] Json progress_entry(const model::Action& action, const Json& report);
// Returns a line for each action in flight: its member, its title, and its progress. Behind it come
// lines of what it waits for.
[[nodiscard]] std::vector<std::string>
in_flight_lines(const model::Plan& plan, const run::State& state, const ActionProgress& progress);
// Returns a line for each optional action that failed: the step, and the advice. The run goes on
// without it.
[[nodiscard]] std::vector<std::string> failed_optional_lines(const model::Plan& plan,
                                                             const run::State& state);
// Returns "open: drydock downgrade -c x" or "closed: ..."; empty if the plan itself is a way back.
[[nodiscard]] std::string way_back_now(const model::Plan& plan, const run::State& state);
[[nodiscard]] std::string_view word_of(run::Phase phase);
// Renders the member table with at most `rows_max` rows, busy members first, and the number of
// members that are not shown.
[[nodiscard]] std::string render_members(const std::vector<MemberProgress>& members,
                                         const Screen& screen,
                                         std::size_t rows_max);

}  // namespace drydock::cli
