// apply(): changes the state of a run by one event.
//
// Each function below handles one type of event, and moves an action only from a status in which
// that event makes sense. A second or late answer therefore changes nothing. All results are in the
// statuses of state.h; no function looks at the detail of an event.
//
// Three functions decide how an attempt ends: repeat() tries again, fail_permanently() fails for
// good, and take_back() undoes a begin that never happened. Every path to a second attempt goes
// through one of them, so the limits hold everywhere (docs/design/0001-the-core.md, "How often a
// step is repeated").
#include "base/check.h"
#include "run/run.h"

#include <algorithm>

namespace drydock::run {

namespace {

// The effect took place; postconditions are still to be observed, if there are any.
Status after_effect(const Program& program, std::size_t index) {
    return program.has_postconditions(index) ? Status::applied : Status::done;
}

// Fails the action for good. An optional one is skipped, unless it may be under way still.
void fail_permanently(const Program& program,
                      State& state,
                      std::size_t index,
                      Status status = Status::failed) {
    if (program.optional(index) && status != Status::unreachable) {
        state.set_failures(index, std::max(state.failures(index), 1));
        state.set_status(index, Status::skipped);
    } else {
        state.set_status(index, status);
    }
}

// Repeats an action; every repeat without a person goes through here. An unrepeatable action passes
// only if its last attempt certainly changed nothing.
void repeat(const Program& program, State& state, std::size_t index, bool is_unchanged) {
    const bool may_repeat = is_unchanged || !program.unrepeatable(index);
    if (may_repeat && !repeats_used_up(state, index)) {
        state.set_status(index, Status::waiting);
    } else {
        fail_permanently(program, state, index);
    }
}

// Takes back an attempt that never began: that is no failure.
void take_back(const Program& program, State& state, std::size_t index) {
    state.forget_begin(index);
    if (state.attempt(index) - state.begun(index) < k_unbegun_max) {
        state.set_status(index, Status::waiting);
    } else {
        fail_permanently(program, state, index);
    }
}

// Takes an action back that has stopped at a safe place, by request. That is no failure, and it may
// be begun again whatever `repeatable` says. All its pauses together count as one begin, so that
// they do not use up the repeats of a later failure.
void pause(State& state, std::size_t index) {
    if (state.begun(index) > 1) {
        state.forget_begin(index);
    }
    state.set_status(index, Status::waiting);
}

// Counts one more failure. The action starts again from its guards until its attempts are used up.
void count_failure(const Program& program, State& state, std::size_t index) {
    const int failures = state.failures(index) + 1;
    state.set_failures(index, failures);
    if (failures < program.attempts(index)) {
        repeat(program, state, index, false);
    } else {
        fail_permanently(program, state, index);
    }
}

// Goes on behind a guard that held. An action with nothing to send is begun at that moment.
void pass_guard(const Program& program, State& state, std::size_t index) {
    if (program.is_gate(index)) {
        state.set_status(index, Status::ready);
    } else if (!program.acts(index)) {
        state.begin_without_attempt(index);
        state.set_status(index, after_effect(program, index));
    } else if (attempts_used_up(state, index)) {
        fail_permanently(program, state, index);
    } else {
        state.set_status(index, Status::ready);
    }
}

void guard_judged(const Program& program, State& state, std::size_t index, Outcome outcome) {
    if (state.status(index) != Status::waiting) {
        return;
    }
    if (outcome == Outcome::skip) {
        state.set_failures(index, 0);
        state.set_status(index, Status::skipped);
    } else if (outcome != Outcome::yes) {
        fail_permanently(program, state, index);
    } else {
        pass_guard(program, state, index);
    }
}

// A postcondition that is unknown is no failure: the action may be done, so it is not begun again.
void then_judged(const Program& program, State& state, std::size_t index, Outcome outcome) {
    const bool is_recheck = state.status(index) == Status::recheck;
    if (!is_recheck && state.status(index) != Status::applied) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, Status::done);
    } else if (outcome != Outcome::no) {
        fail_permanently(program, state, index, Status::unverified);
    } else if (is_recheck) {
        repeat(program, state, index, false);
    } else {
        count_failure(program, state, index);
    }
}

// Takes the result of the `happened` probe. Only "it did not happen", or a repeatable action, leads
// to a repeat. On a silent host neither does, because the action may be under way still.
void happened_judged(const Program& program, State& state, std::size_t index, Outcome outcome) {
    const bool unheard = state.status(index) == Status::agent_silent;
    if (!unheard && state.status(index) != Status::outcome_unknown) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, after_effect(program, index));
    } else if (unheard) {
        fail_permanently(program, state, index, Status::unreachable);
    } else if (outcome == Outcome::no || program.repeatable(index)) {
        repeat(program, state, index, outcome == Outcome::no);
    } else {
        fail_permanently(program, state, index);
    }
}

void facts_read(const Program& program, State& state, const CompactEvent& event) {
    switch (event.purpose) {
    case Purpose::guard:
        return guard_judged(program, state, event.action, event.outcome);
    case Purpose::then:
        return then_judged(program, state, event.action, event.outcome);
    case Purpose::happened:
        return happened_judged(program, state, event.action, event.outcome);
    case Purpose::none:
        return;
    }
}

// An intent has to be the next attempt: a gap in the numbers would hide an attempt from the agent.
void intended(State& state, const CompactEvent& event) {
    const bool is_next = event.attempt == state.attempt(event.action) + 1;
    if (state.status(event.action) == Status::ready && is_next
        && !attempts_used_up(state, event.action)) {
        state.set_status(event.action, Status::intended);
        state.begin_attempt(event.action, event.attempt);
    }
}

// True if the event belongs to the attempt in flight.
bool in_flight(const State& state, const CompactEvent& event) {
    const Status status = state.status(event.action);
    return (status == Status::intended || status == Status::lost)
           && state.attempt(event.action) == event.attempt;
}

void ended(const Program& program, State& state, const CompactEvent& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::done) {
        state.set_status(event.action, after_effect(program, event.action));
    } else if (event.outcome == Outcome::failed) {
        count_failure(program, state, event.action);
    } else if (event.outcome == Outcome::paused) {
        pause(state, event.action);
    } else if (event.outcome == Outcome::running) {
        fail_permanently(
            program, state, event.action, Status::unreachable);  // not ended in its time
    } else {
        // The host has not answered the second question either.
        const bool was_queried = state.status(event.action) == Status::lost;
        state.set_status(event.action, was_queried ? Status::agent_silent : Status::lost);
    }
}

void attached(const Program& program, State& state, const CompactEvent& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::running) {
        state.set_status(event.action, Status::intended);
    } else if (event.outcome == Outcome::none) {
        take_back(program, state, event.action);
    } else {
        state.set_status(event.action, Status::outcome_unknown);
    }
}

// Starts a new conductor. It does not know the outcome of actions in flight, and does not rely on
// guards that another conductor judged.
void conductor_started(State& state) {
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.status(i) == Status::intended) {
            state.set_status(i, Status::lost);
        } else if (state.status(i) == Status::ready) {
            state.set_status(i, Status::waiting);
        }
    }
    if (state.phase() == Phase::created) {
        state.set_phase(Phase::running);
    }
}

// Returns the status behind a resume, which is a person's word that the cause was seen to.
Status retry_after_resume(Status status) {
    if (status == Status::failed) {
        return Status::waiting;
    }
    if (status == Status::unreachable) {
        return Status::lost;
    }
    return status == Status::unverified ? Status::recheck : status;
}

// Resumes the run. An optional action that failed stays skipped. Only a person ends a halt or a
// pause: in other phases no failure is forgotten.
void resumed(State& state) {
    if (state.phase() != Phase::halted && state.phase() != Phase::paused) {
        return;
    }
    state.set_phase(Phase::running);
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.status(i) != Status::skipped) {
            state.set_failures(i, 0);
        }
        state.set_status(i, retry_after_resume(state.status(i)));
    }
}

void gate(State& state, const CompactEvent& event, Status old_status, Status new_status) {
    if (state.status(event.action) == old_status) {
        state.set_status(event.action, new_status);
    }
}

}  // namespace

bool attempts_used_up(const State& state, std::size_t action) {
    return state.attempt(action) >= static_cast<int>(State::k_attempt_max);
}

bool repeats_used_up(const State& state, std::size_t action) {
    return state.begun(action) >= k_attempts_max
           || state.attempt(action) - state.begun(action) >= k_unbegun_max;
}

void apply(const Program& program, State& state, const CompactEvent& event) {
    if (state.actions() != program.actions()) {
        state = State(program.actions());
    }
    CHECK(event.action < program.actions() || event.action == 0);
    switch (event.type) {
    case EventType::run_created:
        state.set_phase(Phase::created);
        break;
    case EventType::conductor_started:
        conductor_started(state);
        break;
    case EventType::action_intended:
        intended(state, event);
        break;
    case EventType::action_ended:
        ended(program, state, event);
        break;
    case EventType::action_attached:
        attached(program, state, event);
        break;
    case EventType::facts_read:
        facts_read(program, state, event);
        break;
    case EventType::soak_started:
        gate(state, event, Status::ready, Status::soaking);
        break;
    case EventType::gate_opened:
        gate(state, event, Status::soaking, Status::open);
        break;
    case EventType::gate_approved:
        gate(state, event, Status::open, Status::done);
        break;
    case EventType::drift_found:
    case EventType::run_halted:
        state.set_phase(Phase::halted);
        break;
    case EventType::run_paused:
        state.set_phase(Phase::paused);
        break;
    case EventType::run_resumed:
        resumed(state);
        break;
    case EventType::run_finished:
        state.set_phase(Phase::finished);
        break;
    case EventType::run_returned:
        state.set_phase(Phase::returned);
        break;
    case EventType::run_aborted:
        state.set_phase(Phase::aborted);
        break;
    case EventType::run_noted:
    case EventType::action_progress:
        break;
    }
}

void request_pause(State& state) {
    if (state.phase() == Phase::running) {
        state.set_phase(Phase::pausing);
    }
}

}  // namespace drydock::run
