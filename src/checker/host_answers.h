// HostAnswers: the answers of a host to the command of an action, and to the question for a lost
// one.
#pragma once

#include "checker/expansion.h"
#include "checker/partial_order.h"

namespace drydock::checker {

class HostAnswers {
public:
    HostAnswers(Expansion& expansion, PartialOrderReduction& order)
        : expansion_(expansion)
        , order_(order) {}

    // The host has the command: it succeeds, fails before or after its effect, or its answer is
    // lost.
    void answer_command(Index action);
    // The agent is asked for the outcome of a lost action. The command may never have arrived, so
    // each outcome is possible, among them that the agent itself cannot tell.
    void answer_question(Index action);

private:
    void succeed(Index action);
    void fail(Index action);
    void fail_late(Index action);
    void stay_silent(Index action);

    Expansion& expansion_;
    PartialOrderReduction& order_;
};

}  // namespace drydock::checker
