// An event is a thing that happened in a run. It is durable in the journal before anything that
// depends on it is done.
//
// An event moves the state by its type, action, attempt, outcome and purpose alone (CompactEvent).
// Its `detail` is evidence for people and for resumes: facts read, output, the person and the words
// of an approval. It never changes what happens next.
#pragma once

#include "base/enum_names.h"
#include "base/json.h"
#include "model/plan.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::run {

enum class EventType : std::uint8_t {
    run_created,        // detail: plan digest, who
    conductor_started,  // detail: epoch, who, where
    action_intended,    // durable before the command leaves
    action_ended,       // outcome: done, failed, unknown, paused; running (long after its time)
    action_attached,    // the agent's answer: none (never begun) or
                        // interrupted (begun, its end is not known)
    facts_read,         // outcome of judging `purpose`: yes, no, cannot_tell, skip
    drift_found,        // facts have moved: the run stops
    soak_started,       // detail: wall_ms
    gate_opened,
    gate_approved,  // detail: who, the words they approved
    run_paused,
    run_resumed,
    run_halted,  // detail: cause, remedy
    run_finished,
    run_returned,  // a downgrade took this run back; detail: the downgrade's run
    run_aborted,
    run_noted,        // a person's words, or the answer to a request; detail: who, text
    action_progress,  // how far a long action has come; detail: done, of, rate, bytes
};
inline constexpr EnumNames<EventType, EventType::action_progress>
    k_event_types({"run.created",
                   "conductor.started",
                   "action.intended",
                   "action.ended",
                   "action.attached",
                   "facts.read",
                   "drift.found",
                   "soak.started",
                   "gate.opened",
                   "gate.approved",
                   "run.paused",
                   "run.resumed",
                   "run.halted",
                   "run.finished",
                   "run.returned",
                   "run.aborted",
                   "run.noted",
                   "action.progress"});

enum class Outcome : std::uint8_t {
    none,
    done,
    failed,
    unknown,
    running,
    interrupted,
    yes,
    no,
    cannot_tell,
    skip,
    paused
};
inline constexpr EnumNames<Outcome, Outcome::paused> k_outcomes({"none",
                                                                 "done",
                                                                 "failed",
                                                                 "unknown",
                                                                 "running",
                                                                 "torn",
                                                                 "yes",
                                                                 "no",
                                                                 "cannot_tell",
                                                                 "skip",
                                                                 "paused"});

enum class Purpose : std::uint8_t { none, guard, then, happened };
inline constexpr EnumNames<Purpose, Purpose::happened>
    k_purposes({"none", "guard", "then", "happened"});

// The part of an event that moves the state.
struct CompactEvent {
    EventType type = EventType::run_created;
    std::size_t action = 0;
    int attempt = 0;
    Outcome outcome = Outcome::none;
    Purpose purpose = Purpose::none;
};

struct Event : CompactEvent {
    Json detail;
};

// Encodes events for the journal, with actions by id, so that a record is readable without the
// plan. It borrows the plan.
class EventCodec {
public:
    explicit EventCodec(const model::Plan& plan);
    [[nodiscard]] Json encode(const Event& event) const;
    [[nodiscard]] Result<Event> decode(const Json& json) const;

private:
    const model::Plan& plan_;
    std::vector<std::size_t> by_id_;  // the actions, in order of their ids
};

// False for an event of the whole run; its `action` has no meaning.
[[nodiscard]] bool is_of_action(EventType type);

[[nodiscard]] inline std::string_view name_of(EventType type) {
    return k_event_types.of(type);
}

[[nodiscard]] inline std::string_view name_of(Outcome outcome) {
    return k_outcomes.of(outcome);
}

[[nodiscard]] inline std::string_view name_of(Purpose purpose) {
    return k_purposes.of(purpose);
}

}  // namespace drydock::run
