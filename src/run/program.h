// Program holds the part of a plan that apply() and next() need, side by side in memory.
//
// It is built once from a plan and never changes. It holds no string, only the order of actions,
// the kind of each action, and the number of its attempts. A kind says, for example, that the
// action is a gate, has a host, or has postconditions.
#pragma once

#include "model/plan.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace drydock::run {

class Program {
public:
    explicit Program(const model::Plan& plan);

    [[nodiscard]] std::size_t actions() const { return kinds_.size(); }

    // Returns the actions that must be over before this one begins.
    [[nodiscard]] std::span<const std::uint32_t> predecessors(std::size_t action) const {
        return {predecessors_.data() + ends_[action], ends_[action + 1] - ends_[action]};
    }

    [[nodiscard]] bool is_gate(std::size_t action) const { return has(action, k_gate); }

    // True if the action sends a request to a host.
    [[nodiscard]] bool acts(std::size_t action) const { return has(action, k_acts); }

    // True if the action has postconditions, which must be observed before it is done.
    [[nodiscard]] bool has_postconditions(std::size_t action) const {
        return has(action, k_has_postconditions);
    }

    [[nodiscard]] bool repeatable(std::size_t action) const { return has(action, k_repeatable); }

    // True if the action is never repeated after it may have taken effect, except by a person.
    [[nodiscard]] bool unrepeatable(std::size_t action) const {
        return has(action, k_unrepeatable);
    }

    // True if the run goes on without the action when it fails.
    [[nodiscard]] bool optional(std::size_t action) const { return has(action, k_optional); }

    [[nodiscard]] int attempts(std::size_t action) const { return kinds_[action].attempts; }

private:
    static constexpr std::uint8_t k_gate = 1;
    static constexpr std::uint8_t k_acts = 2;
    static constexpr std::uint8_t k_has_postconditions = 4;
    static constexpr std::uint8_t k_repeatable = 8;
    static constexpr std::uint8_t k_optional = 16;
    static constexpr std::uint8_t k_unrepeatable = 32;

    struct Kind {
        std::uint8_t bits = 0;
        std::uint8_t attempts = 1;
    };

    [[nodiscard]] bool has(std::size_t action, std::uint8_t bit) const {
        return (kinds_[action].bits & bit) != 0;
    }

    std::vector<Kind> kinds_;
    std::vector<std::uint32_t> predecessors_;  // of all actions, one list after the other
    std::vector<std::uint32_t> ends_;  // where each action's list begins; the last: the end of all
};

}  // namespace drydock::run
