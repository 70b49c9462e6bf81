// ConductorSteps: the transitions of the conductor's commands. Each command is answered in every
// way that the model allows.
#pragma once

#include "checker/expansion.h"
#include "checker/interchangeable_limit.h"
#include "checker/partial_order.h"

namespace drydock::checker {

[[nodiscard]] bool judges_guard(const run::Command& command);
// True if an action may be skipped when its `applies_if` evaluates to this.
[[nodiscard]] bool can_skip(const Evaluation& applicability);
// Adds the successor in which the action is skipped.
void skip(Expansion& expansion, Index action);

class ConductorSteps {
public:
    // `guard_is_alone`: there is one guard to judge, and no begin is pending.
    ConductorSteps(Expansion& expansion,
                   PartialOrderReduction& order,
                   const InterchangeableLimit& limit,
                   bool guard_is_alone)
        : expansion_(expansion)
        , order_(order)
        , limit_(limit)
        , guard_is_alone_(guard_is_alone) {}

    void expand(const run::Command& command);

private:
    void judge(const run::Command& command);
    void judge_guard(Index action);
    void hold_guard(Index action);
    void fail_guard(Index action, bool is_guess);
    void judge_completion(Index action);

    Expansion& expansion_;
    PartialOrderReduction& order_;
    const InterchangeableLimit& limit_;
    bool guard_is_alone_;
};

}  // namespace drydock::checker
