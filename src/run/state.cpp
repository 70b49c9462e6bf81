#include "run/state.h"

#include "base/hash.h"

#include <algorithm>

namespace drydock::run {

State::State(std::size_t actions) : cells_(k_header + actions * k_per_action, 0) {
}

void State::set_attempt(std::size_t action, int attempt) {
    cell(action, 1) = static_cast<std::uint8_t>(std::min(attempt, 255));
}

void State::set_failures(std::size_t action, int failures) {
    cell(action, 2) = static_cast<std::uint8_t>(std::min(failures, 255));
}

std::uint64_t State::hash() const {
    return xxh3(cells_);
}

}  // namespace drydock::run
