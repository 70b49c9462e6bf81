// The one decision of drydock: what is known after an event, and what to do about it.
//
//   apply(plan, state, event) -> state        pure
//   next (plan, state)        -> commands     pure
//
// The runner feeds them real hosts, a checker every answer of a modelled cluster, a simulator a
// hostile one. Nothing else in the program decides what happens next.
#pragma once

#include "model/plan.h"
#include "run/event.h"
#include "run/state.h"

#include <cstddef>
#include <vector>

namespace drydock::run {

// The most often one action is begun in one run, whatever the reason: a bound on repeats after
// unknown outcomes.
inline constexpr int k_attempts_max = 20;

enum class Do {
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
[[nodiscard]] State apply(const model::Plan& plan, State state, const Event& event);
[[nodiscard]] std::vector<Command> next(const model::Plan& plan, const State& state);

// Asks the running state to stop giving out work; what is in flight ends. Part of the conductor's
// volatile state only.
[[nodiscard]] State request_pause(State state);

}  // namespace drydock::run
