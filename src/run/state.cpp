// The cells of a state: bit fields of status, failures, attempt and begins in 32 bits.
//
// A cell keeps its numbers within their fields, so that a full counter stays at its largest value
// instead of running into its neighbour. State::k_inline cells lie in the object itself; a larger
// plan uses the vector.
#include "run/state.h"

#include "base/check.h"
#include "base/hash.h"

#include <algorithm>

namespace drydock::run {

State::State(std::size_t actions) : size_(actions + 1), large_(size_ > k_inline ? size_ : 0, 0) {
}

void State::set_failures(std::size_t action, int failures) {
    Cell& cell = data()[action + 1];
    cell = with(cell, k_failures_at, k_failures_max, std::clamp<int>(failures, 0, k_failures_max));
}

// The caller checks attempts_used_up() before: a number beyond the field would be lost.
void State::begin_attempt(std::size_t action, int attempt) {
    CHECK(attempt > 0 && attempt <= static_cast<int>(k_attempt_max));
    Cell& cell = data()[action + 1];
    cell = with(cell, k_attempt_at, k_attempt_max, attempt);
    begin_without_attempt(action);
}

void State::begin_without_attempt(std::size_t action) {
    const int begun = std::min<int>(this->begun(action) + 1, k_attempt_max);
    Cell& cell = data()[action + 1];
    cell = with(cell, k_begun_at, k_attempt_max, begun);
}

void State::forget_begin(std::size_t action) {
    Cell& cell = data()[action + 1];
    cell = with(cell, k_begun_at, k_attempt_max, std::max(begun(action) - 1, 0));
}

std::span<State::Cell> State::new_cells(std::size_t actions) {
    size_ = actions + 1;
    large_.resize(size_ > k_inline ? size_ : 0);
    return {data(), size_};
}

void State::set_cells(std::span<const Cell> cells) {
    std::copy(cells.begin(), cells.end(), new_cells(cells.size() - 1).begin());
}

// Hashes only cells in use: the rest of the inline array has no meaning.
std::uint64_t State::hash() const {
    return xxh3({reinterpret_cast<const std::uint8_t*>(data()), size_ * sizeof(Cell)});
}

bool State::operator==(const State& state) const {
    return std::equal(data(), data() + size_, state.data(), state.data() + state.size_);
}

}  // namespace drydock::run
