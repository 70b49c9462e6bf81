// Expansion: the state under expansion. Successor: one of its successors, under construction.
//
//   expansion.add(TransitionKind::begun, action)      a copy of the row
//       .apply(EventType::action_intended)            an event of the run
//       .commit();                                    writes the changed run into the copy
//
// Each successor is committed once, and it is the last use of it: commit() takes an rvalue, and a
// successor that ends without a commit fails a CHECK. One is under construction at a time, because
// all share one decoded run. Decoding the row for each would cost more than the step.
#pragma once

#include "checker/successors.h"
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
    // Applies an event of the action to the run.
    Successor&& apply(run::EventType type,
                      run::Outcome outcome = run::Outcome::none,
                      run::Purpose purpose = run::Purpose::none);
    // Applies an event that may change any action.
    Successor&& apply_to_run(run::EventType type);
    // Applies the effect of the action to the cluster.
    Successor&& take_effect();
    // Sends the action to its host. The quorum is checked here and nowhere else.
    Successor&& dispatch();
    // Marks the copies that the action made as verified: its postconditions were observed.
    Successor&& verify_copies();

    // Writes the changed run into the row.
    void commit() &&;

    [[nodiscard]] Index action() const { return action_; }

    // Returns the status of the action after the events so far.
    [[nodiscard]] run::Status status() const;

    [[nodiscard]] Byte* row() { return row_; }

private:
    friend class Expansion;
    enum class Change : Byte { no_event, one_action, any_action, committed };

    Successor(Expansion& source, TransitionKind kind, Index index);
    void apply(const run::CompactEvent& event);

    Expansion& source_;
    Index action_;
    Byte* row_;
    Change change_ = Change::no_event;
};

class Expansion {
public:
    Expansion(const Model& model, const Faults& faults);

    // Begins to expand a row. Successors are appended to `successors`. SuccessorGenerator::expand()
    // explains `representatives`.
    void begin(const Byte* row, Successors& successors, std::span<const Index> representatives);

    // Appends the run's events of all later successors to `events`, which must outlive them.
    void record_into(std::vector<RecordedEvent>& events) { recorded_ = &events; }

    [[nodiscard]] const Model& model() const { return model_; }

    [[nodiscard]] const Byte* row() const { return row_; }

    // Returns the run that the row holds.
    [[nodiscard]] const run::State& run() const { return run_; }

    [[nodiscard]] bool can_afford(Fault fault) const;
    // Returns the number of faults that can still happen.
    [[nodiscard]] int budget_left() const;

    [[nodiscard]] Evaluation evaluate(const std::vector<Predicate>& conditions) const {
        return answer(model_, conditions, row_);
    }

    // The same, as if the host of the action answered.
    [[nodiscard]] Evaluation evaluate_reachable(Index action,
                                                const std::vector<Predicate>& conditions);
    // True if the host of the action does not answer.
    [[nodiscard]] bool is_unreachable(Index action) const;
    // True if an earlier member is in the same state: the steps of that member represent the steps
    // of this one.
    [[nodiscard]] bool is_symmetric_duplicate(Index member) const;

    // Begins a successor. `index` is that of the transition.
    [[nodiscard]] Successor add(TransitionKind kind, Index index) { return {*this, kind, index}; }

    // Adds the successor in which the conductor has judged conditions of the action.
    void
    add_judgement(TransitionKind kind, Index action, run::Purpose purpose, run::Outcome outcome);

private:
    friend class Successor;

    const Model& model_;
    std::array<int, k_faults> budget_;
    const Byte* row_ = nullptr;
    run::State run_;
    run::State next_run_;  // of the successor under construction; equal to run_ between two
    std::span<const Index> representatives_;
    Successors* successors_ = nullptr;
    std::vector<RecordedEvent>* recorded_ = nullptr;  // null: events are not recorded
    std::vector<Byte> reachable_row_;
};

}  // namespace drydock::checker
