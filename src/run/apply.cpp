// What is known after an event. Each function below is one event type; each only moves an action
// that is in the status in which that event makes sense, so a doubled or late answer changes
// nothing.
#include "base/check.h"
#include "run/run.h"

namespace drydock::run {

namespace {

using model::Action;
using model::Plan;

// The effect took place; what it promised is still to be observed.
Status after_effect(const Action& action) {
    return action.then.empty() ? Status::done : Status::acted;
}

// One failure more: again from the front (guards on fresh facts), until the attempts are used up.
void count_failure(const Action& action, State& state, std::size_t index) {
    const int failures = state.failures(index) + 1;
    state.set_failures(index, failures);
    const bool again = failures < action.attempts && state.attempt(index) < k_attempts_max;
    state.set_status(index, again ? Status::waiting : Status::failed);
}

void repeat(State& state, std::size_t index) {
    state.set_status(index,
                     state.attempt(index) < k_attempts_max ? Status::waiting : Status::failed);
}

void guard_judged(const Action& action, State& state, std::size_t index, Outcome outcome) {
    if (state.status(index) != Status::waiting) {
        return;
    }
    if (outcome == Outcome::skip) {
        state.set_status(index, Status::skipped);
    } else if (outcome != Outcome::yes) {
        state.set_status(index, Status::failed);
    } else {
        const bool nothing_to_do = action.request.is_null() && !action.is_gate();
        state.set_status(index, nothing_to_do ? after_effect(action) : Status::ready);
    }
}

void then_judged(const Action& action, State& state, std::size_t index, Outcome outcome) {
    if (state.status(index) != Status::acted) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, Status::done);
    } else if (outcome == Outcome::no) {
        count_failure(action, state, index);
    } else {
        state.set_status(index, Status::failed);
    }
}

// Only "it did not happen", or an action that may be repeated, leads to a repeat.
void happened_judged(const Action& action, State& state, std::size_t index, Outcome outcome) {
    if (state.status(index) != Status::unsure) {
        return;
    }
    if (outcome == Outcome::yes) {
        state.set_status(index, after_effect(action));
    } else if (outcome == Outcome::no || action.repeatable == model::Repeatable::yes) {
        repeat(state, index);
    } else {
        state.set_status(index, Status::failed);
    }
}

void facts_read(const Action& action, State& state, const Event& event) {
    switch (event.purpose) {
    case Purpose::guard:
        return guard_judged(action, state, event.action, event.outcome);
    case Purpose::then:
        return then_judged(action, state, event.action, event.outcome);
    case Purpose::happened:
        return happened_judged(action, state, event.action, event.outcome);
    case Purpose::none:
        return;
    }
}

void intended(State& state, const Event& event) {
    if (state.status(event.action) == Status::ready) {
        state.set_status(event.action, Status::intended);
        state.set_attempt(event.action, event.attempt);
    }
}

bool in_flight(const State& state, const Event& event) {
    const Status status = state.status(event.action);
    return (status == Status::intended || status == Status::lost)
           && state.attempt(event.action) == event.attempt;
}

void ended(const Action& action, State& state, const Event& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::done) {
        state.set_status(event.action, after_effect(action));
    } else if (event.outcome == Outcome::failed) {
        count_failure(action, state, event.action);
    } else {
        // A lost action whose agent says "unknown" has been asked already: only a probe can tell.
        const bool asked = state.status(event.action) == Status::lost;
        state.set_status(event.action, asked ? Status::unsure : Status::lost);
    }
}

void attached(State& state, const Event& event) {
    if (!in_flight(state, event)) {
        return;
    }
    if (event.outcome == Outcome::running) {
        state.set_status(event.action, Status::intended);
    } else if (event.outcome == Outcome::none) {
        repeat(state, event.action);
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

// A person has seen to it: what failed is tried again from its guards.
void resumed(State& state) {
    state.set_phase(Phase::running);
    for (std::size_t i = 0; i < state.actions(); ++i) {
        state.set_failures(i, 0);
        if (state.status(i) == Status::failed) {
            state.set_status(i, Status::waiting);
        }
    }
}

void gate(State& state, const Event& event, Status from, Status to) {
    if (state.status(event.action) == from) {
        state.set_status(event.action, to);
    }
}

}  // namespace

State apply(const Plan& plan, State state, const Event& event) {
    if (state.actions() != plan.actions.size()) {
        state = State(plan.actions.size());
    }
    const auto action = [&]() -> const Action& {
        CHECK(event.action < plan.actions.size());
        return plan.actions[event.action];
    };
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
        ended(action(), state, event);
        break;
    case EventType::action_attached:
        attached(state, event);
        break;
    case EventType::facts_read:
        facts_read(action(), state, event);
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
    }
    return state;
}

State request_pause(State state) {
    if (state.phase() == Phase::running) {
        state.set_phase(Phase::pausing);
    }
    return state;
}

}  // namespace drydock::run
