// Start here: apply() and next(), the one decision of drydock. Then read state.h (the statuses of
// an action), event.h, program.h, apply.cpp and next.cpp; expected_facts.h, return_point.h,
// grammar.h and progress.h stand beside them. observer.h, journey.h, request.h and trace_step.h are
// what others exchange about a run.
//
//   apply(program, state, event)    changes the state by an event, in place
//   next (program, state)           returns the commands for a state
//
// Both are pure. The runner calls them with events of real hosts, the checker with every answer of
// a modelled cluster, the simulator with a hostile one. No other code decides what happens next.
#pragma once

#include "run/event.h"
#include "run/program.h"
#include "run/state.h"

#include <cstddef>
#include <vector>

namespace drydock::run {

// The most repeats of one action without a person: a bound on unknown outcomes.
inline constexpr int k_attempts_max = 20;

// The most attempts of one action that never began, as when a slow disk lets permissions lapse.
// Each of them takes seconds.
inline constexpr int k_unbegun_max = 200;

enum class CommandKind : std::uint8_t {
    judge,       // read fresh facts and judge `purpose` of the action -> facts_read
    begin,       // make action_intended durable, then send the action to its host -> action_ended
    ask,         // ask the agent for the outcome of the attempt -> action_ended or action_attached
    soak,        // make soak_started durable
    await_soak,  // wait until the soak is over -> gate_opened
    await_person,  // nothing to do until gate_approved
    pause,         // all in flight has ended -> run_paused
    halt,          // all in flight has ended, `action` has failed -> run_halted
    finish,        // -> run_finished
};

struct Command {
    CommandKind kind = CommandKind::judge;
    std::size_t action = 0;
    int attempt =
        0;  // for begin: the number of the new attempt; for ask: the attempt that is asked about
    Purpose purpose = Purpose::none;
    bool operator==(const Command&) const = default;
};

// Applies an event. An event that does not fit the state (a second answer, or a late one) changes
// nothing.
void apply(const Program& program, State& state, const CompactEvent& event);
// True if the state can hold no further attempt: the action fails for good, and no resume helps.
[[nodiscard]] bool attempts_used_up(const State& state, std::size_t action);
// True if the conductor does not repeat the action by itself any more. Each resume begins it once.
[[nodiscard]] bool repeats_used_up(const State& state, std::size_t action);

// Fills `commands`, which is emptied first. A caller that reuses it allocates nothing.
void next(const Program& program, const State& state, std::vector<Command>& commands);
[[nodiscard]] std::vector<Command> next(const Program& program, const State& state);

// Asks a running state to give out no more work; work in flight ends. This is part of the
// conductor's volatile state only.
void request_pause(State& state);

}  // namespace drydock::run
