// SuccessorGenerator: all transitions from one state. It asks run::next() for the conductor's
// commands, and run::apply() updates the run. The kinds of transitions are in files of their own:
//
//   conductor_steps.h         commands of the conductor
//   host_answers.h            answers of hosts
//   environment.h             faults, laws, repairs of an operator
//   local_actions.h           a reduction: a lost local action is resolved first
//   interchangeable_limit.h   a reduction: two of a group in flight are enough
#pragma once

#include "checker/environment.h"
#include "checker/expansion.h"
#include "checker/interchangeable_limit.h"
#include "checker/partial_order.h"

#include <span>
#include <vector>

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

    [[nodiscard]] PartialOrderReduction& order() { return order_; }

    // Appends the run's events of all later expansions to `events`, which must outlive them.
    void record_into(std::vector<RecordedEvent>& events) { expansion_.record_into(events); }

private:
    void expand_running();
    [[nodiscard]] bool is_symmetric_duplicate(const run::Command& command) const;

    bool operator_repairs_;
    bool resolve_local_;
    Expansion expansion_;
    PartialOrderReduction order_;
    Environment environment_;
    InterchangeableLimit limit_;
    std::vector<run::Command> commands_;
};

}  // namespace drydock::checker
