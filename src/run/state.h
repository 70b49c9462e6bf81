// The state of a run: a flat array of small integers over the plan's indices, and nothing else.
//
// No strings, no maps, no time: copying it is one memcpy and hashing it one XXH3 call, which is
// what lets a checker visit millions of them with the very functions that run an upgrade. Values
// are plain values.
#pragma once

#include <cstddef>
#include <cstdint>
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
//   waiting -> ready -> intended -> acted -> done        the straight way
//   waiting -> skipped                                    its `when` does not hold
//   intended -> lost -> (intended | waiting | unsure)     nobody knows: the agent is asked
//   unsure -> (acted | waiting | failed)                  the agent cannot tell: the `happened`
//   probe is asked gates: waiting -> soaking -> open -> done
enum class Status : std::uint8_t {
    waiting,   // predecessors not done, or guards not yet judged
    ready,     // guards held on fresh facts
    intended,  // durable: the command leaves or has left
    lost,      // unknown outcome: ask the agent
    unsure,    // the agent cannot tell: ask the `happened` probe
    acted,     // carried out; its promised facts are not yet observed
    soaking,   // a gate whose soak time runs
    open,      // a gate that waits for a person
    done,
    skipped,
    failed,
};

class State {
public:
    State() = default;
    explicit State(std::size_t actions);

    [[nodiscard]] std::size_t actions() const { return (cells_.size() - k_header) / k_per_action; }

    [[nodiscard]] Phase phase() const { return static_cast<Phase>(cells_[0]); }

    [[nodiscard]] Status status(std::size_t action) const {
        return static_cast<Status>(at(action, 0));
    }

    [[nodiscard]] int attempt(std::size_t action) const {
        return at(action, 1);
    }  // the last one intended; 0: none

    [[nodiscard]] int failures(std::size_t action) const {
        return at(action, 2);
    }  // since the last resume

    void set_phase(Phase phase) { cells_[0] = static_cast<std::uint8_t>(phase); }

    void set_status(std::size_t action, Status status) {
        cell(action, 0) = static_cast<std::uint8_t>(status);
    }

    void set_attempt(std::size_t action, int attempt);
    void set_failures(std::size_t action, int failures);

    [[nodiscard]] std::uint64_t hash() const;
    bool operator==(const State&) const = default;

private:
    static constexpr std::size_t k_header = 1;
    static constexpr std::size_t k_per_action = 3;

    [[nodiscard]] std::uint8_t at(std::size_t action, std::size_t field) const {
        return cells_[k_header + action * k_per_action + field];
    }

    std::uint8_t& cell(std::size_t action, std::size_t field) {
        return cells_[k_header + action * k_per_action + field];
    }

    std::vector<std::uint8_t> cells_ = {0};
};

}  // namespace drydock::run
