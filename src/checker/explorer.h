// Explorer: everything that can happen next in one state. It asks run::next() what the conductor
// does, answers in every way that the model allows, and lets run::apply() say what is known then.
#pragma once

#include "checker/effects.h"
#include "checker/one_order.h"
#include "checker/site.h"
#include "run/run.h"

#include <span>
#include <vector>

namespace drydock::checker {

enum class Kind : Byte {
    judged_yes,   // its guards hold
    judged_no,    // they do not, or nobody can tell
    skipped,      // its `when` does not hold
    begun,        // durable, and the command leaves
    done,         // it ended well, and what it promised is seen, if that is certain
    died_after,   // it ended well, and the member died before what it promised was seen
    failed,       // it failed without effect
    failed_late,  // it failed after its effect
    no_answer,    // nobody knows what became of it
    never_begun,  // so the agent says
    torn,         // the agent cannot tell; it had no effect
    torn_late,    // the agent cannot tell; it had its effect
    kept,         // what it promised is seen
    broken,       // it is not, in time
    happened,     // so the probe says
    not_happened,
    nobody_knows,
    approved,
    finished,
    halted,
    conductor_dies,
    member_dies,
    host_lost,
    host_back,
    law_fires,
    resumed,         // a person goes on after a halt
    member_started,  // by a person
};

[[nodiscard]] bool judges_guard(const run::Command& command);
// Whether an action whose `when` is answered like that may be skipped.
[[nodiscard]] bool may_skip(const Answer& applicability);

// What happened, and to whom: an action, a member, a host or a law, by its index.
struct Choice {
    Kind kind = Kind::begun;
    std::uint32_t index = 0;
};

// What can happen in some states: the rows that it leads to, one after the other.
class Batch {
public:
    explicit Batch(std::size_t row_size) : row_size_(row_size) {}

    [[nodiscard]] std::size_t size() const { return found_.size(); }

    [[nodiscard]] Byte* row(std::size_t i) { return &rows_[i * row_size_]; }

    [[nodiscard]] const Byte* row(std::size_t i) const { return &rows_[i * row_size_]; }

    [[nodiscard]] Choice choice(std::size_t i) const { return found_[i].choice; }

    [[nodiscard]] Broken& broken(std::size_t i) { return found_[i].broken; }

    [[nodiscard]] Broken broken(std::size_t i) const { return found_[i].broken; }

    void clear() { found_.clear(); }

    // One more, a copy of `from`.
    Byte* add(const Byte* source, Choice choice);

private:
    struct Found {
        Choice choice;
        Broken broken = 0;
    };

    std::size_t row_size_;
    std::vector<Byte> rows_;
    std::vector<Found> found_;
};

// An event of the run, and the row of a batch to which it leads.
struct RecordedEvent {
    std::size_t row = 0;
    run::Move event;
};

class Explorer {
public:
    // With `faults` none, nothing goes wrong any more, and persons do what they can. `everybody`:
    // members die also where nobody asks or handles them; so they do where releases served apart
    // before the plan began, which is then no fault of it until a death has ended that.
    // `shortcuts`: what became of a quiet action is settled before anything else happens.
    Explorer(const Site& site,
             const Faults& faults,
             bool operator_repairs = true,
             bool any_member_may_die = true,
             bool resolve_local = false);

    // Appends to `out`. The state itself is never among it unless something happened. `first`: for
    // each member, the first one that is in the same state as it; of those, only what happens to
    // the first is told. Empty: of all.
    // `before`, if not null: a row from which this one was reached in one step; then of several
    // orders one is told, if order() keeps one.
    void expand(const Byte* row,
                Batch& successors,
                std::span<const int> representatives = {},
                const Byte* previous_row = nullptr);

    [[nodiscard]] OneOrder& order() { return order_; }

    // Appends the run's events of every expansion from now on; borrows the list.
    void record_into(std::vector<RecordedEvent>& events) { recorded_ = &events; }

private:
    [[nodiscard]] bool can_afford(Fault fault) const;
    void open(Kind kind, std::size_t index);
    void open(Kind kind, std::size_t index, Fault fault);
    void move(run::EventType type,
              std::size_t action,
              run::Outcome outcome = run::Outcome::none,
              run::Purpose purpose = run::Purpose::none);
    void close(std::size_t action);
    void close_all();

    [[nodiscard]] bool settle_quiet();
    [[nodiscard]] bool is_settled(const run::Command& command);
    void settle_away(std::size_t action);
    void settle_recheck(std::size_t action);
    void tell_broken(std::size_t action, run::Outcome outcome);
    [[nodiscard]] const Byte* row_at_hand(std::size_t action);
    [[nodiscard]] bool is_stopping() const;
    [[nodiscard]] bool is_repeated(int member) const;
    [[nodiscard]] bool is_repeated(const run::Command& command) const;
    [[nodiscard]] int budget_left() const;
    void count_crowds();
    [[nodiscard]] bool thin_out_crowds();
    [[nodiscard]] bool is_crowded(std::size_t action) const;
    [[nodiscard]] bool is_probe_settled(std::size_t action);
    void obey(const run::Command& command);
    void judge_guard(std::size_t action);
    void skip(std::size_t action);
    void judge_then(std::size_t action);
    void see_kept(std::size_t action);
    void keep_promise(std::size_t action, bool& doubt);
    void break_promise(std::size_t action, Kind kind, bool effect);
    void judge_happened(std::size_t action);
    void hold_guard(std::size_t action);
    void fail_guard(std::size_t action, bool free);
    void begin(std::size_t action);
    void set_off(std::size_t action);
    void answer_to(std::size_t action);
    void ask(std::size_t action);
    void end(std::size_t action, Kind kind, run::Outcome outcome, bool effect);
    void tear(std::size_t action, Kind kind, bool effect);
    void probe(std::size_t action, Kind kind, run::Outcome outcome);
    void let_things_happen();
    void find_concerned();
    void lose_members();
    void lose_hosts();
    void after_halt();
    [[nodiscard]] bool is_away(std::size_t action) const;

    const Site& site_;
    std::array<int, k_faults> budget_;
    bool persons_;
    bool everybody_;
    bool shortcuts_;
    run::State here_;
    run::State there_;  // as here_, but for the action that is being moved
    OneOrder order_;
    const Byte* row_ = nullptr;
    std::vector<Byte> at_hand_;  // the row as it were with its host back
    std::span<const int> first_;
    Byte* next_ = nullptr;  // the row that is being made
    Batch* out_ = nullptr;
    std::vector<RecordedEvent>* recorded_ = nullptr;  // null: nobody asks for events
    bool hurry_ = false;  // something is about to begin: nothing else comes between
    int guards_ = 0;      // guards to be judged now
    std::vector<run::Command> commands_;
    std::vector<int> under_way_;  // of each crowd
    // Of each crowd: those that may begin, or as well be skipped.
    std::vector<std::vector<std::size_t>> to_come_;
    std::vector<bool> concerned_;  // members of whom something is asked or done now
};

}  // namespace drydock::checker
