// SuccessorGenerator: all transitions from one state. run::next() decides what the conductor does,
// and run::apply() what an event changes. Read successor_builder.h next, then successor_rules.h.
#pragma once

#include "checker/interchangeable_cutoff.h"
#include "checker/successor_builder.h"

#include <span>

namespace drydock::checker {

class SuccessorGenerator {
public:
    // Without faults in the budgets, only operators act beside the plan. `any_member_may_die`:
    // members also die where no step observes them. It is set, too, if releases violate the skew
    // before the plan begins: only a death ends that, and makes a later violation the fault of the
    // plan. `resolve_local`: a lost local action is resolved before any other step.
    SuccessorGenerator(const Model& model,
                       const Faults& faults,
                       bool operator_repairs = true,
                       bool any_member_may_die = true,
                       bool resolve_local = false);

    // Appends to `successors`; there are no stutter steps. `representatives` has for each member
    // the first member in the same state, and steps of the others are left out. Empty: every member
    // counts. `previous_row`, if not null, led to this row in one step. order() then leaves out
    // steps that were explored from there.
    void expand(const Byte* row,
                Successors& successors,
                std::span<const Index> representatives = {},
                const Byte* previous_row = nullptr);

    // From now on, starts of members by themselves are judged in each state, and explored within
    // the budget.
    void judge_restarts() { judges_restarts_ = true; }

    [[nodiscard]] PartialOrderReduction& order() { return expansion_.order(); }

private:
    void expand_running();
    [[nodiscard]] bool is_symmetric_duplicate(const run::Command& command) const;

    bool operator_repairs_;
    bool any_member_may_die_;
    bool resolve_local_;
    bool judges_restarts_ = false;
    Expansion expansion_;
    InterchangeableCutoff limit_;
};

}  // namespace drydock::checker
