// Program: what apply() and next() need to know of a plan, and nothing else, side by side in
// memory.
//
// Built once from a plan and never changed. It holds no string: which actions wait for which, what
// an action is (a gate, nothing to do on a host, promises facts), how often it may be tried.
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

    // The actions that must be over before this one is begun.
    [[nodiscard]] std::span<const std::uint32_t> after(std::size_t action) const {
        return {after_.data() + ends_[action], ends_[action + 1] - ends_[action]};
    }

    [[nodiscard]] bool is_gate(std::size_t action) const { return has(action, k_gate); }

    // Something is sent to a host.
    [[nodiscard]] bool acts(std::size_t action) const { return has(action, k_acts); }

    // It has promised facts, which must be seen before it is done.
    [[nodiscard]] bool promises(std::size_t action) const { return has(action, k_promises); }

    [[nodiscard]] bool repeatable(std::size_t action) const { return has(action, k_repeatable); }

    // The conductor never repeats what may have taken effect.
    [[nodiscard]] bool unrepeatable(std::size_t action) const {
        return has(action, k_unrepeatable);
    }

    // If it fails, the run goes on without it.
    [[nodiscard]] bool optional(std::size_t action) const { return has(action, k_optional); }

    [[nodiscard]] int attempts(std::size_t action) const { return kinds_[action].attempts; }

private:
    static constexpr std::uint8_t k_gate = 1;
    static constexpr std::uint8_t k_acts = 2;
    static constexpr std::uint8_t k_promises = 4;
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
    std::vector<std::uint32_t> after_;  // of all actions, one after the other
    std::vector<std::uint32_t> ends_;   // where each action's begin; the last: the end of all
};

}  // namespace drydock::run
