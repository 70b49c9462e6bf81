// Progress: what a run's state means for each member, what is going on now, what is left. Pure; the
// live table and `status` show it.
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
    std::size_t done = 0;
    std::size_t all = 0;
    std::int64_t left_ms = 0;  // usual time of what is not over; soaks apart
};

[[nodiscard]] Progress progress_of(const model::Plan& plan, const run::State& state);
// How far actions in flight have come, as their commands told it: {done, of, rate, unit}.
using ActionProgress = std::map<std::size_t, Json>;
// The titles of what is under way, by member, and how far it came; empty if nothing is.
[[nodiscard]] std::vector<std::string>
under_way(const model::Plan& plan, const run::State& state, const ActionProgress& progress);
// What failed and was left out, as the run goes on without it: the step, and what to do about it.
[[nodiscard]] std::vector<std::string> left_out(const model::Plan& plan, const run::State& state);
// "open: drydock downgrade -c x", "closed: ..."; empty where the plan itself is a way back.
[[nodiscard]] std::string way_back_now(const model::Plan& plan, const run::State& state);
[[nodiscard]] std::string_view word_of(run::Phase phase);
// The member table, at most `rows_max` of them (busy ones first); says how many are not shown.
[[nodiscard]] std::string render_members(const std::vector<MemberProgress>& members,
                                         const Screen& screen,
                                         std::size_t rows_max);

}  // namespace drydock::cli
