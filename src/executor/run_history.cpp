// Folds the records of a run into its state and into the details that people and resumes need.
//
// The state moves by run::apply() alone; everything else here is evidence kept beside it. A detail
// that a later event replaces is overwritten, so that each field holds the latest one. The fold
// also keeps the epoch of each action's begin: a host that lost its records since that epoch cannot
// say "never begun" (docs/design/0005-the-run-session.md, "Who speaks").
#include "executor/run_history.h"

namespace drydock::executor {

namespace {

using run::EventType;

// Keeps the details of an event by its type; the progress of an action ends with its next attempt.
void keep_detail(const run::Event& event,
                 std::int64_t wall_ms,
                 const model::Plan& plan,
                 RunHistory& history) {
    if (event.type == EventType::soak_started) {
        history.soaks[event.action] = event.detail;
        history.soaks[event.action].set("wall_ms", wall_ms);
    } else if (event.type == EventType::facts_read && plan.actions[event.action].is_gate()) {
        history.gate_facts = event.detail["facts"];
        history.gate_facts_ms = wall_ms;
    } else if (event.type == EventType::run_created) {
        history.created = event.detail;
    } else if (event.type == EventType::run_halted || event.type == EventType::drift_found) {
        history.halted = event.detail;
    } else if (event.type == EventType::run_resumed) {
        history.halted = {};
    } else if (event.type == EventType::run_finished || event.type == EventType::run_aborted) {
        history.left_behind = event.detail["left_behind"];
    } else if (event.type == EventType::run_paused) {
        history.paused = event.detail;
    } else if (event.type == EventType::action_progress) {
        history.progress[event.action] = event.detail;
        history.progress[event.action].set("at_ms", wall_ms);
    } else if (event.type == EventType::action_intended) {
        history.progress.erase(event.action);
    } else if (event.type == EventType::gate_approved) {
        history.approved = event.detail;
        history.approved.set("at_ms", wall_ms);
    }
    if (is_failure(event)) {
        history.failures[event.action] = event.detail;
    }
}

}  // namespace

void note_begin(const run::Event& event,
                const run::State& state,
                std::int64_t epoch,
                BeginEpochs& epochs) {
    if (event.type == EventType::action_intended) {
        epochs[event.action] = epoch;
    }
    // A resume is a person's word that nothing of an unreachable action is under way: its epoch
    // counts from now on.
    for (std::size_t i = 0; event.type == EventType::run_resumed && i < state.actions(); ++i) {
        if (state.status(i) == run::Status::unreachable) {
            epochs[i] = epoch;
        }
    }
}

// An attempt that lapsed is attached with outcome `none`; it has a reason, too, and counts here.
bool is_failure(const run::Event& event) {
    const bool is_lapse =
        event.type == EventType::action_attached && event.outcome == run::Outcome::none;
    const bool has_outcome = is_lapse || event.outcome != run::Outcome::none;
    return has_outcome && event.outcome != run::Outcome::yes && event.outcome != run::Outcome::done
           && event.outcome != run::Outcome::skip && event.outcome != run::Outcome::paused
           && !event.detail.is_null();
}

Result<std::vector<run::Event>> events_of(const journal::Record& record,
                                          const run::EventCodec& codec) {
    std::vector<run::Event> events;
    events.reserve(record.events.size());
    for (const Json& json : record.events) {
        DRYDOCK_TRY_ASSIGN(run::Event event, codec.decode(json));
        events.push_back(std::move(event));
    }
    return events;
}

Result<RunHistory> fold_records(const std::vector<journal::Record>& records,
                                const model::Plan& plan) {
    const run::Program program(plan);
    const run::EventCodec codec(plan);
    RunHistory history;
    history.state = run::State(plan.actions.size());
    std::int64_t epoch = 0;
    for (const journal::Record& record : records) {
        DRYDOCK_TRY_ASSIGN(const auto events, events_of(record, codec));
        for (const run::Event& event : events) {
            if (event.type == EventType::conductor_started) {
                epoch = event.detail["epoch"].as_int();
            }
            note_begin(event, history.state, epoch, history.begin_epochs);
            run::apply(program, history.state, event);
            keep_detail(event, record.wall_ms, plan, history);
            history.ends_with_approval = event.type == EventType::gate_approved;
        }
        history.last_ms = record.wall_ms;
        history.head = {record.sequence, record.hash};
        history.heads.add(history.head);
    }
    return history;
}

Result<RunHistory> read_history(journal::Journal& journal, const model::Plan& plan) {
    DRYDOCK_TRY_ASSIGN(const auto records, journal.read(plan.run));
    return fold_records(records, plan);
}

}  // namespace drydock::executor
