#include "run/state.h"

#include "base/hash.h"

#include <algorithm>

namespace drydock::run {

State::State(std::size_t actions) : size_(actions + 1), large_(size_ > k_inline ? size_ : 0, 0) {
}

void State::set_failures(std::size_t action, int failures) {
    const int value = std::clamp(failures, 0, k_failures_max);
    Cell& it = data()[action + 1];
    it = static_cast<Cell>((it & ~(k_failures_max << k_failures_at)) | (value << k_failures_at));
}

void State::set_attempt(std::size_t action, int attempt) {
    const int value = std::clamp(attempt, 0, k_attempt_max);
    Cell& it = data()[action + 1];
    it = static_cast<Cell>((it & ((1 << k_attempt_at) - 1)) | (value << k_attempt_at));
}

std::span<State::Cell> State::new_cells(std::size_t actions) {
    size_ = actions + 1;
    large_.resize(size_ > k_inline ? size_ : 0);
    return {data(), size_};
}

void State::set_cells(std::span<const Cell> cells) {
    std::copy(cells.begin(), cells.end(), new_cells(cells.size() - 1).begin());
}

std::uint64_t State::hash() const {
    return xxh3({reinterpret_cast<const std::uint8_t*>(data()), size_ * sizeof(Cell)});
}

bool State::operator==(const State& other) const {
    return std::equal(data(), data() + size_, other.data(), other.data() + other.size_);
}

}  // namespace drydock::run
