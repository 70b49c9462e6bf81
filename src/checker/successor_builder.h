// Expansion: the state under expansion. Successor: one of its successors, under construction.
//
//   expansion.add(TransitionKind::failed, action)   a copy of the row
//       .charge(Fault::failure)                     changes of the copy
//       .end(Outcome::failed)                       events of the run
//       .commit();                                  packs the changed run into the copy
//
// commit() is the last use of a successor: it takes an rvalue. A successor that ends without it
// fails a CHECK, as does a second one beside it. All share one decoded run, since to decode the row
// for each would cost more than the step.
#pragma once

#include "checker/partial_order_reduction.h"
#include "checker/successor_batch.h"
#include "run/run.h"

#include <array>
#include <span>
#include <vector>

namespace drydock::checker {

class Expansion;

// Each operation returns the successor, so that calls make a chain.
class [[nodiscard]] Successor {
public:
    Successor(const Successor&) = delete;
    Successor& operator=(const Successor&) = delete;
    ~Successor();

    // Adds one to the usage of a fault budget.
    Successor&& charge(Fault fault);
    // Applies the effect of the action to the cluster, and judges it.
    Successor&& take_effect();
    // Notes the properties that the new state of the cluster violates, and the old one did not.
    Successor&& judge_change();
    // Notes properties that the transition violates.
    Successor&& blame(PropertySet broken);
    // The command had never arrived: what it had half done is as before.
    Successor&& undo_half_done();
    // Marks the copies that the action made as verified: its postconditions were observed.
    Successor&& verify_copies();

    // Applies an event of the action to the run.
    Successor&& apply(run::EventType type,
                      run::Outcome outcome = run::Outcome::none,
                      run::Purpose purpose = run::Purpose::none);
    // Applies an event that may change any action.
    Successor&& apply_to_run(run::EventType type);
    // The conductor sends the action. `quorum` and `alone` are checked here and nowhere else.
    Successor&& dispatch();
    // The host tells the end of the action; the agent, asked, what became of it; the conductor
    // judges conditions.
    Successor&& end(run::Outcome outcome);
    Successor&& attach(run::Outcome outcome);
    Successor&& judge(run::Purpose purpose, run::Outcome outcome);

    // Packs the changed run into the row.
    void commit() &&;
    // The same, for a transition that is judged only: the search does not follow it.
    void commit_as_judged() &&;

    [[nodiscard]] Index action() const { return action_; }

    [[nodiscard]] Byte* row() { return row_; }

    // Returns the status of the action after the events so far.
    [[nodiscard]] run::Status status() const;

private:
    friend class Expansion;
    enum class Change : Byte { none, one_action, any_action };

    Successor(Expansion& source, TransitionKind kind, Index index);
    void apply(const run::CompactEvent& event, Change change);
    // Judges the change if the action can violate a property by it.
    Successor&& judge_effect();

    Expansion& source_;
    Index action_;  // or the member, host or law of the transition
    Byte* row_;
    Change change_ = Change::none;
};

class Expansion {
public:
    // `resolve_local`: lost local actions are resolved before any other step.
    Expansion(const Model& model, const Faults& faults, bool resolve_local);

    // Begins to expand a row, and asks run::next() for the commands of the conductor.
    // SuccessorGenerator::expand() explains the parameters.
    void begin(const Byte* row,
               Successors& successors,
               std::span<const Index> representatives,
               const Byte* previous_row);

    [[nodiscard]] const Model& model() const { return model_; }

    [[nodiscard]] const Byte* row() const { return row_; }

    // Returns the run that the row holds, and the commands for it; a halted run has none.
    [[nodiscard]] const run::State& run() const { return run_; }

    [[nodiscard]] const std::vector<run::Command>& commands() const { return commands_; }

    [[nodiscard]] PartialOrderReduction& order() { return order_; }

    [[nodiscard]] bool can_afford(Fault fault) const {
        return model_.fault_usage_of(row_, fault) < budget_[ordinal(fault)];
    }

    // Returns the number of faults that can still happen.
    [[nodiscard]] int budget_left() const;

    // True if the host of the action does not answer.
    [[nodiscard]] bool is_unreachable(Index action) const {
        const Index member = model_.actions[action].member;
        return member != k_no_index && row_[model_.members[member].unreachable] != 0;
    }

    // True if an earlier member is in the same state: the steps of that member represent the steps
    // of this one.
    [[nodiscard]] bool is_symmetric_duplicate(Index member) const {
        return !representatives_.empty() && member != k_no_index
               && representatives_[member] != member;
    }

    [[nodiscard]] Evaluation evaluate(const std::vector<Predicate>& conditions) const {
        return checker::evaluate(model_, conditions, row_);
    }

    // Returns the properties that a start of the member by itself would violate.
    [[nodiscard]] PropertySet judge_restart(Index member);

    // Begins a successor. `index` is that of the transition.
    [[nodiscard]] Successor add(TransitionKind kind, Index index) { return {*this, kind, index}; }

private:
    friend class Successor;

    const Model& model_;
    std::array<int, k_faults> budget_;
    const Byte* row_ = nullptr;
    std::span<const Index> representatives_;
    Successors* successors_ = nullptr;
    bool is_building_ = false;  // a successor is under construction
    std::vector<run::Command> commands_;
    PartialOrderReduction order_;
    std::vector<Byte> restarted_row_;  // of judge_restart()
    run::State run_;
    run::State next_run_;  // of the successor under construction; equal to run_ between two
};

}  // namespace drydock::checker
