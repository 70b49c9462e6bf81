// The faults that mutants are judged with: none, and one of each kind, one after the other.
#pragma once

#include "mutants/bases.h"

#include <span>

namespace drydock::mutants {

inline constexpr checker::Faults k_faults[] = {
    {0, 0, 0, 0, 0}, {1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 1, 0}};
inline constexpr std::size_t k_worlds_max = 25'000;  // of the reference: more are left undecided

// The last is a death.
[[nodiscard]] inline std::span<const checker::Faults> budgets_of(const Base& base) {
    return std::span(k_faults).first(std::size(k_faults) - (base.outlives_deaths ? 0 : 1));
}

}  // namespace drydock::mutants
