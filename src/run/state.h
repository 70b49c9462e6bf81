// State holds a run as a flat array of small integers over the plan's indices, and nothing else.
//
// It has no strings, no maps, no time. A copy is one memcpy and a hash is one XXH3 call, so a
// checker visits millions of states. It calls the very functions that run an upgrade. An action
// takes four bytes, and a small plan needs no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace drydock::run {

enum class Phase : std::uint8_t {
    created,
    running,
    pausing,
    paused,
    halted,
    finished,
    returned,
    aborted
};

// The life of an action:
//
//   waiting -> ready -> intended -> applied -> done       the straight way
//   waiting -> skipped                                    its `when` does not hold
//   any -> skipped instead of failed                      it is optional; its failures count on
//   intended -> waiting                                   it stopped at a safe place, by request
//   intended -> lost                                      no result: the agent is asked
//   lost -> (intended | waiting | outcome_unknown)        it runs, never began, or has no result
//   outcome_unknown -> (applied | waiting | failed)       the completion check decides
//   lost -> agent_silent -> (applied | unreachable)       no answer: only a completion check that
//                                                         says "it happened" counts
//   applied -> (waiting | failed | unverified)            postconditions broken, or not readable
//   waiting -> soaking -> open -> done                    gates
//
// A resume tries a failed action again from its guards. It asks the agent about an unreachable
// action, which may still be under way. An unverified action is done if its postconditions can be
// read by now.
enum class Status : std::uint8_t {
    waiting,          // predecessors not done, or guards not yet judged
    ready,            // guards held on fresh facts
    intended,         // durable: the command leaves or has left
    lost,             // unknown outcome: ask the agent
    outcome_unknown,  // the agent cannot tell: ask the completion check
    agent_silent,     // the agent does not answer: ask the completion check
    applied,          // carried out; its postconditions are not yet observed
    recheck,          // the same after a resume: tried again if its facts are not observed now
    soaking,          // a gate whose soak time runs
    open,             // a gate that waits for a person
    done,
    skipped,
    failed,
    unreachable,  // failed: begun, and its host did not report the outcome
    unverified,   // failed: carried out, and its postconditions could not be read
};

[[nodiscard]] constexpr bool is_over(Status status) {
    return status == Status::done || status == Status::skipped;
}

// True if the action was begun and its end is not known.
[[nodiscard]] constexpr bool is_open_ended(Status status) {
    return status == Status::intended || status == Status::lost || status == Status::outcome_unknown
           || status == Status::agent_silent;
}

// True if the action was begun and is not done.
[[nodiscard]] constexpr bool is_in_flight(Status status) {
    return is_open_ended(status) || status == Status::applied || status == Status::recheck;
}

[[nodiscard]] constexpr bool has_failed(Status status) {
    return status == Status::failed || status == Status::unreachable
           || status == Status::unverified;
}

class State {
public:
    // The largest number of an attempt.
    static constexpr unsigned k_attempt_max = 0x7FF;

    State() : State(0) {}

    explicit State(std::size_t actions);

    [[nodiscard]] std::size_t actions() const { return size_ - 1; }

    [[nodiscard]] Phase phase() const { return static_cast<Phase>(data()[0]); }

    [[nodiscard]] Status status(std::size_t action) const { return status_in(cell(action)); }

    // Returns the failures since the last resume.
    [[nodiscard]] int failures(std::size_t action) const {
        return static_cast<int>(cell(action) >> k_failures_at & k_failures_max);
    }

    // True if the action has failed and the run goes on without it.
    [[nodiscard]] bool failed_optional(std::size_t action) const {
        return status(action) == Status::skipped && failures(action) > 0;
    }

    // Returns the number of the last intended attempt; 0 if there was none.
    [[nodiscard]] int attempt(std::size_t action) const {
        return static_cast<int>(cell(action) >> k_attempt_at & k_attempt_max);
    }

    // Returns the number of begins: attempts that certainly never began do not count.
    [[nodiscard]] int begun(std::size_t action) const {
        return static_cast<int>(cell(action) >> k_begun_at & k_attempt_max);
    }

    void set_phase(Phase phase) { data()[0] = static_cast<Cell>(phase); }

    void set_status(std::size_t action, Status status) {
        Cell& cell = data()[action + 1];
        cell = (cell & ~k_status) | static_cast<Cell>(status);
    }

    // Sets all of an action at once; each number stays within its bounds, and all attempts count as
    // begun.
    void set(std::size_t action, Status status, int failures, int attempt) {
        const auto number = static_cast<Cell>(attempt);
        data()[action + 1] = static_cast<Cell>(status)
                             | static_cast<Cell>(failures) << k_failures_at | number << k_attempt_at
                             | number << k_begun_at;
    }

    // Copies the action from another state of the same program.
    void take(std::size_t action, const State& source) { data()[action + 1] = source.cell(action); }

    // Sets the failures; a larger number is cut to the largest that fits.
    void set_failures(std::size_t action, int failures);
    // Counts one attempt more. It counts as begun until it is certain that it was not.
    void begin_attempt(std::size_t action, int attempt);
    // Counts a begin of an action that sends nothing, and so has no attempts.
    void begin_without_attempt(std::size_t action);
    // Takes back the begin of the last attempt.
    void forget_begin(std::size_t action);

    // A cell holds all of one action. The cells are the whole state, to be kept elsewhere and taken
    // back.
    using Cell = std::uint32_t;

    [[nodiscard]] std::span<const Cell> cells() const { return {data(), size_}; }

    // Returns one cell an action, for a pass over all of them.
    [[nodiscard]] std::span<const Cell> of_actions() const { return {data() + 1, size_ - 1}; }

    [[nodiscard]] static constexpr Status status_in(Cell cell) {
        return static_cast<Status>(cell & k_status);
    }

    void set_cells(std::span<const Cell> cells);
    // Returns cells to be filled: the phase, then one an action.
    [[nodiscard]] std::span<Cell> new_cells(std::size_t actions);

    [[nodiscard]] std::uint64_t hash() const;
    bool operator==(const State& state) const;

private:
    static constexpr std::size_t k_inline = 60;  // cells that need no allocation
    static constexpr Cell k_status = 0xF;
    static constexpr unsigned k_failures_at = 4;
    static constexpr Cell k_failures_max = 0x1F;
    static constexpr unsigned k_attempt_at = 9;
    static constexpr unsigned k_begun_at = 20;

    [[nodiscard]] static constexpr Cell with(Cell cell, unsigned shift, Cell max, int value) {
        return (cell & ~(max << shift)) | static_cast<Cell>(value) << shift;
    }

    [[nodiscard]] const Cell* data() const { return size_ > k_inline ? large_.data() : &small_[0]; }

    [[nodiscard]] Cell* data() { return size_ > k_inline ? large_.data() : &small_[0]; }

    [[nodiscard]] Cell cell(std::size_t action) const { return data()[action + 1]; }

    std::size_t size_ = 0;  // the phase, then one cell an action
    std::array<Cell, k_inline> small_ = {};
    std::vector<Cell> large_;
};

}  // namespace drydock::run
