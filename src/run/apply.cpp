// What is known after an event. Each function below is one event type; each only moves an action
// that is in the status in which that event makes sense, so a doubled or late answer changes
// nothing.
#include "base/check.h"
#include "run/run.h"

#include <algorithm>

namespace drydock::run {

namespace {

// The effect took place; what it promised is still to be observed.
Status after_effect(const Program& program, std::size_t index) {
    return program.promises(index) ? Status::acted : Status::done;
}

// The action has failed for good. An optional one is left out, unless it may be under way still.
void give_up(const Program& program,
             State& state,
             std::size_t index,
             Status status = Status::failed) {
    if (program.optional(index) && status != Status::unreached) {
        state.set_failures(index, std::max(state.failures(index), 1));
        state.set_status(index, Status::skipped);
    } else {
        state.set_status(index, status);
    }
}

// Every repeat of the conductor's own goes through here. An action that may not be repeated is
// repeated only if its last attempt changed nothing, for certain.
void repeat(const Program& program, State& state, std::size_t index, bool is_unchanged) {
    const bool may_repeat = is_unchanged || !program.unrepeatable(index);
    if (may_repeat && !repeats_used_up(state, index)) {
        state.set_status(index, Status::waiting);
    } else {
        give_up(program, state, index);
    }
}

// The last attempt was never begun: that is no failure.
void take_back(const Program& program, State& state, std::size_t index) {
    state.forget_begin(index);
    if (state.attempt(index) - state.begun(index) < k_unbegun_max) {
        state.set_status(index, Status::waiting);
    } else {
        give_up(program, state, index);
    }
}

// One failure more: again from the front (guards on fresh facts), until the attempts are used up.
void count_failure(const Program& program, State& state, std::size_t index) {
    const int failures = state.failures(index) + 1;
    state.set_failures(index, failures);
    if (failures < program.attempts(index)) {
        repeat(program, state, index, false);
    } else {
        give_up(program, state, index);
    }
}

// An action with nothing to send is begun as its guards hold.
void pass_guard(const Program& program, State& state, std::size_t index) {
    if (program.is_gate(index)) {
        state.set_status(index, Status::ready);
    } else if (!program.acts(index)) {
        state.begin_without_attempt(index);
        state.set_status(index, after_effect(program, index));
    } else if (attempts_used_up(state, index)) {
        give_up(program, state, index);
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
        give_up(program, state, index);
    } else {
        pass_guard(program, state, index);
    }
}

void then_judged(const Program& program, State& state, std::size_t index, Outcome outcome) {
    const bool is_recheck = state.status(index) == Status::recheck;
    if (!is_recheck && state.status(index) != Status::acted) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, Status::done);
    } else if (outcome != Outcome::no) {
        give_up(program, state, index, Status::unseen);
    } else if (is_recheck) {
        repeat(program, state, index, false);
    } else {
        count_failure(program, state, index);
    }
}

// Only "it did not happen", or an action that may be repeated, leads to a repeat; and neither does
// where it may be under way still, on a host that does not answer.
void happened_judged(const Program& program, State& state, std::size_t index, Outcome outcome) {
    const bool unheard = state.status(index) == Status::unheard;
    if (!unheard && state.status(index) != Status::unsure) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, after_effect(program, index));
    } else if (unheard) {
        give_up(program, state, index, Status::unreached);
    } else if (outcome == Outcome::no || program.repeatable(index)) {
        repeat(program, state, index, outcome == Outcome::no);
    } else {
        give_up(program, state, index);
    }
}

void facts_read(const Program& program, State& state, const Move& event) {
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

void intended(State& state, const Move& event) {
    const bool is_next = event.attempt == state.attempt(event.action) + 1;
    if (state.status(event.action) == Status::ready && is_next
        && !attempts_used_up(state, event.action)) {
        state.set_status(event.action, Status::intended);
        state.begin_attempt(event.action, event.attempt);
    }
}

bool in_flight(const State& state, const Move& event) {
    const Status status = state.status(event.action);
    return (status == Status::intended || status == Status::lost)
           && state.attempt(event.action) == event.attempt;
}

void ended(const Program& program, State& state, const Move& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::done) {
        state.set_status(event.action, after_effect(program, event.action));
    } else if (event.outcome == Outcome::failed) {
        count_failure(program, state, event.action);
    } else if (event.outcome == Outcome::running) {
        give_up(program, state, event.action, Status::unreached);  // it has not ended in its time
    } else {
        // Nobody answers that question either.
        const bool was_queried = state.status(event.action) == Status::lost;
        state.set_status(event.action, was_queried ? Status::unheard : Status::lost);
    }
}

void attached(const Program& program, State& state, const Move& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::running) {
        state.set_status(event.action, Status::intended);
    } else if (event.outcome == Outcome::none) {
        take_back(program, state, event.action);
    } else {
        state.set_status(event.action, Status::unsure);
    }
}

// A new conductor knows nothing of what was under way, and believes no guard that another one
// judged.
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

// What a person has seen to goes on from here.
Status tried_again(Status status) {
    if (status == Status::failed) {
        return Status::waiting;
    }
    if (status == Status::unreached) {
        return Status::lost;
    }
    return status == Status::unseen ? Status::recheck : status;
}

// What was left out stays so. Only a person ends a halt or a pause: elsewhere nothing is forgotten.
void resumed(State& state) {
    if (state.phase() != Phase::halted && state.phase() != Phase::paused) {
        return;
    }
    state.set_phase(Phase::running);
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.status(i) != Status::skipped) {
            state.set_failures(i, 0);
        }
        state.set_status(i, tried_again(state.status(i)));
    }
}

void gate(State& state, const Move& event, Status old_status, Status new_status) {
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

void apply(const Program& program, State& state, const Move& event) {
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
