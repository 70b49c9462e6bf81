// The one decision of drydock: what is known after an event, and what to do about it.
//
//   apply(program, state, event)    what is known after this happened, in place
//   next (program, state)           what to do about it
//
// Both are pure. The runner feeds them real hosts, the checker every answer of a modelled cluster,
// a simulator a hostile one. Nothing else in the program decides what happens next.
#pragma once

#include "run/event.h"
#include "run/program.h"
#include "run/state.h"

#include <cstddef>
#include <vector>

namespace drydock::run {

// The most often the conductor repeats one action of its own accord: a bound on unknown outcomes.
inline constexpr int k_attempts_max = 20;

// How many attempts of one action may never begin, as when a slow disk lets permissions lapse. Each
// of them takes seconds.
inline constexpr int k_unbegun_max = 200;

enum class Do : std::uint8_t {
    judge,         // read fresh facts and judge `purpose` of the action -> facts_read
    begin,         // make action_intended durable, then send the action to its host -> action_ended
    ask,           // ask the agent what became of the attempt -> action_ended or action_attached
    soak,          // make soak_started durable
    await_soak,    // wait until the soak is over -> gate_opened
    await_person,  // nothing to do until gate_approved
    pause,         // all in flight has ended -> run_paused
    halt,          // all in flight has ended, `action` has failed -> run_halted
    finish,        // -> run_finished
};

struct Command {
    Do what = Do::judge;
    std::size_t action = 0;
    int attempt = 0;  // for begin: the number it gets; for ask: the one that is asked about
    Purpose purpose = Purpose::none;
    bool operator==(const Command&) const = default;
};

// Events that do not fit the state (an answer that comes twice, or too late) change nothing.
void apply(const Program& program, State& state, const Move& event);
// True if the state can hold no further attempt: the action fails for good, and no resume helps.
[[nodiscard]] bool attempts_used_up(const State& state, std::size_t action);
// True if the conductor does not repeat the action by itself any more. Each resume begins it once.
[[nodiscard]] bool repeats_used_up(const State& state, std::size_t action);

// Into `out`, which is emptied first: a caller that keeps it allocates nothing.
void next(const Program& program, const State& state, std::vector<Command>& commands);
[[nodiscard]] std::vector<Command> next(const Program& program, const State& state);

// Asks the running state to stop giving out work; what is in flight ends. Part of the conductor's
// volatile state only.
void request_pause(State& state);

}  // namespace drydock::run
