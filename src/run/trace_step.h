// TraceStepKind: the kinds of steps in a counterexample. The checker explores them, writes them to
// traces and words them; the simulator replays them. Some strings in trace files are older than
// these names: "torn" is `interrupted`, "happened" is `completed`.
#pragma once

#include "base/enum_names.h"

#include <cstdint>
#include <string_view>

namespace drydock::run {

enum class TraceStepKind : std::uint8_t {
    judged_yes,         // its preconditions hold
    judged_no,          // they do not, or cannot be evaluated
    skipped,            // its `when` does not hold
    begun,              // the begin is durable, and the command leaves
    done,               // it succeeds; certain postconditions are observed at once
    died_after,         // it succeeds, but the member dies before its postconditions are observed
    failed,             // it fails without effect
    failed_late,        // it fails after its effect
    no_answer,          // its outcome is unknown
    never_begun,        // the agent says so
    interrupted,        // the agent cannot tell; it had no effect
    interrupted_late,   // the agent cannot tell; it had its effect
    interrupted_early,  // the agent cannot tell; it never began
    kept,               // its postconditions are observed
    broken,             // they are not observed in time
    completed,          // the completion check says so
    not_completed,
    completion_unknown,
    approved,
    finished,
    halted,
    conductor_dies,
    member_dies,
    host_lost,
    host_back,
    law_fires,
    resumed,          // an operator goes on after a halt
    member_started,   // by an operator
    member_restarts,  // by itself, with what is installed
    elected,          // a serving member comes to lead its role
    settled,          // what was lost is settled; no transition of its own
};
inline constexpr EnumNames<TraceStepKind, TraceStepKind::settled> k_trace_steps({
    "judged_yes",
    "judged_no",
    "skipped",
    "begun",
    "done",
    "died_after",
    "failed",
    "failed_late",
    "no_answer",
    "never_begun",
    "torn",
    "torn_late",
    "torn_early",
    "kept",
    "broken",
    "happened",
    "not_happened",
    "nobody_knows",
    "approved",
    "finished",
    "halted",
    "conductor_dies",
    "member_dies",
    "host_lost",
    "host_back",
    "law_fires",
    "resumed",
    "member_started",
    "member_restarts",
    "elected",
    "settled",
});

[[nodiscard]] inline std::string_view name_of(TraceStepKind kind) {
    return k_trace_steps.of(kind);
}

}  // namespace drydock::run
