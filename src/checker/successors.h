// SuccessorGenerator: all transitions from one state. It asks run::next() for the conductor's
// commands and answers each in every way that the model allows. run::apply() then updates the run.
//
// Private methods make a successor in three calls. open() copies the row and charges a fault
// budget; move() applies one event of the run; close() packs the action that changed.
#pragma once

#include "checker/effects.h"
#include "checker/model.h"
#include "checker/partial_order.h"
#include "run/run.h"

#include <span>
#include <vector>

namespace drydock::checker {

enum class TransitionKind : Byte {
    judged_yes,        // its preconditions hold
    judged_no,         // they do not, or cannot be evaluated
    skipped,           // its `applies_if` does not hold
    begun,             // the begin is durable, and the command leaves
    done,              // it succeeds; certain postconditions are observed at once
    died_after,        // it succeeds, but the member dies before its postconditions are observed
    failed,            // it fails without effect
    failed_late,       // it fails after its effect
    no_answer,         // its outcome is unknown
    never_begun,       // the agent says so
    torn,              // the agent cannot tell; it had no effect
    interrupted_late,  // the agent cannot tell; it had its effect
    kept,              // its postconditions are observed
    broken,            // they are not observed in time
    happened,          // the completion check says so
    not_completed,
    completion_unknown,
    approved,
    finished,
    halted,
    conductor_dies,
    member_dies,
    host_lost,
    host_back,
    law_fires,
    resumed,         // an operator goes on after a halt
    member_started,  // by an operator
};

[[nodiscard]] bool judges_guard(const run::Command& command);
// True if an action may be skipped when its `applies_if` evaluates to this.
[[nodiscard]] bool can_skip(const Evaluation& applicability);

// A transition: its kind, and the index of its action, member, host or law.
struct Transition {
    TransitionKind kind = TransitionKind::begun;
    std::uint32_t index = 0;
};

// The successors of some states. Their rows lie one after the other.
class Successors {
public:
    explicit Successors(std::size_t row_size) : row_size_(row_size) {}

    [[nodiscard]] std::size_t size() const { return entries_.size(); }

    [[nodiscard]] Byte* row(std::size_t i) { return &rows_[i * row_size_]; }

    [[nodiscard]] const Byte* row(std::size_t i) const { return &rows_[i * row_size_]; }

    [[nodiscard]] Transition choice(std::size_t i) const { return entries_[i].choice; }

    [[nodiscard]] PropertySet& broken(std::size_t i) { return entries_[i].broken; }

    [[nodiscard]] PropertySet broken(std::size_t i) const { return entries_[i].broken; }

    void clear() { entries_.clear(); }

    // Adds a successor that starts as a copy of `source`.
    Byte* add(const Byte* source, Transition choice);

private:
    struct Entry {
        Transition choice;
        PropertySet broken = 0;
    };

    std::size_t row_size_;
    std::vector<Byte> rows_;
    std::vector<Entry> entries_;
};

// An event of the run, with the index of the successor that it leads to.
struct RecordedEvent {
    std::size_t row = 0;
    run::CompactEvent event;
};

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
                std::span<const int> representatives = {},
                const Byte* previous_row = nullptr);

    [[nodiscard]] PartialOrderReduction& order() { return order_; }

    // Appends the run's events of all later expansions to `events`, which must outlive them.
    void record_into(std::vector<RecordedEvent>& events) { recorded_ = &events; }

private:
    [[nodiscard]] bool can_afford(Fault fault) const;
    void open(TransitionKind kind, std::size_t index);
    void open(TransitionKind kind, std::size_t index, Fault fault);
    void move(run::EventType type,
              std::size_t action,
              run::Outcome outcome = run::Outcome::none,
              run::Purpose purpose = run::Purpose::none);
    void close(std::size_t action);
    void close_all();

    [[nodiscard]] bool resolve_local_actions();
    [[nodiscard]] bool is_resolved(const run::Command& command);
    void resolve_unreachable(std::size_t action);
    void resolve_recheck(std::size_t action);
    void report_missed_postconditions(std::size_t action, run::Outcome outcome);
    [[nodiscard]] const Byte* state_with_host_back(std::size_t action);
    [[nodiscard]] bool is_stopping() const;
    [[nodiscard]] bool is_symmetric_duplicate(int member) const;
    [[nodiscard]] bool is_symmetric_duplicate(const run::Command& command) const;
    [[nodiscard]] int budget_left() const;
    void count_interchangeable();
    [[nodiscard]] bool skip_surplus();
    [[nodiscard]] bool is_surplus(std::size_t action) const;
    [[nodiscard]] bool is_probe_resolved(std::size_t action);
    void obey(const run::Command& command);
    void judge_guard(std::size_t action);
    void skip(std::size_t action);
    void judge_postconditions(std::size_t action);
    void observe_postconditions(std::size_t action);
    void meet_postconditions(std::size_t action, bool& doubt);
    void miss_postconditions(std::size_t action, TransitionKind kind, bool effect);
    void judge_completion(std::size_t action);
    void hold_guard(std::size_t action);
    void fail_guard(std::size_t action, bool free);
    void begin(std::size_t action);
    void dispatch(std::size_t action);
    void expand_answers(std::size_t action);
    void ask(std::size_t action);
    void end(std::size_t action, TransitionKind kind, run::Outcome outcome, bool effect);
    void tear(std::size_t action, TransitionKind kind, bool effect);
    void probe(std::size_t action, TransitionKind kind, run::Outcome outcome);
    void expand_environment();
    void find_observable_members();
    void lose_members();
    void lose_hosts();
    void expand_halted();
    [[nodiscard]] bool is_unreachable(std::size_t action) const;

    const Model& model_;
    std::array<int, k_faults> budget_;
    bool operator_repairs_;
    bool any_member_may_die_;
    bool resolve_local_;
    run::State current_;
    run::State successor_;  // equal to current_ but for the action being moved
    PartialOrderReduction order_;
    const Byte* row_ = nullptr;
    std::vector<Byte> state_with_host_back_;  // the row with the action's host reachable again
    std::span<const int> representatives_;
    Byte* successor_row_ = nullptr;  // the successor being built
    Successors* successors_ = nullptr;
    std::vector<RecordedEvent>* recorded_ = nullptr;  // null: events are not recorded
    bool begin_only_ = false;  // a begin is pending: no other step comes between
    int guards_ = 0;           // number of preconditions to evaluate now
    std::vector<run::Command> commands_;
    std::vector<int> in_flight_;  // by group of interchangeable actions
    // By group: the actions that may begin or be skipped.
    std::vector<std::vector<std::size_t>> not_begun_;
    std::vector<bool> observable_members_;  // members that a pending step observes or changes
};

}  // namespace drydock::checker
