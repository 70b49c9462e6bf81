#include "checker/finds.h"

#include <algorithm>
#include <cstring>

namespace drydock::checker {

Finds::Finds(std::size_t row_size) : row_size_(row_size), lately_(k_lately, 0) {
}

void Finds::clear() {
    candidates_.clear();
    links_.clear();
}

std::uint32_t
Finds::add(const Rows& rows, const Byte* row, std::uint64_t hash, std::uint32_t parent) {
    constexpr std::uint64_t k_upper = 0xFFFFFFFF00000000ULL;
    std::uint64_t& lately = lately_[slot(hash)];
    const auto told = static_cast<std::uint32_t>(lately);
    const auto fresh = static_cast<std::uint32_t>(candidates_.size());
    if (((lately ^ hash) & k_upper) == 0 && told < fresh
        && rows.is_covered(&rows_[told * row_size_], row)) {
        return told;
    }
    const std::size_t at = fresh * row_size_;
    if (rows_.size() < at + row_size_) {
        rows_.resize(std::max(2 * rows_.size(), at + 16 * row_size_));
    }
    std::memcpy(&rows_[at], row, row_size_);
    candidates_.push_back({hash, parent, k_nobody});
    lately = (hash & k_upper) | fresh;
    return fresh;
}

}  // namespace drydock::checker
