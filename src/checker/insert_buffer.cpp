// The buffer of one chunk. A slot of `recent_` holds half a hash and the candidate that used the
// slot last. A duplicate is recognised by its bytes, never by the hash alone, so a stale or
// colliding slot costs a duplicate and no state.
#include "checker/insert_buffer.h"

#include <algorithm>
#include <cstring>

namespace drydock::checker {

InsertBuffer::InsertBuffer(std::size_t row_size) : row_size_(row_size), recent_(k_lately, 0) {
}

void InsertBuffer::clear() {
    candidates_.clear();
    links_.clear();
}

std::uint32_t InsertBuffer::add(const StateStore& rows,
                                const Byte* row,
                                std::uint64_t hash,
                                std::uint32_t parent) {
    constexpr std::uint64_t k_upper = 0xFFFFFFFF00000000ULL;
    std::uint64_t& recent = recent_[slot(hash)];
    const auto candidate = to_id(recent);
    const auto fresh = to_id(candidates_.size());
    if (((recent ^ hash) & k_upper) == 0 && candidate < fresh
        && rows.is_dominated(&rows_[candidate * row_size_], row)) {
        return candidate;
    }
    const std::size_t position = fresh * row_size_;
    if (rows_.size() < position + row_size_) {
        rows_.resize(std::max(2 * rows_.size(), position + 16 * row_size_));
    }
    std::memcpy(&rows_[position], row, row_size_);
    candidates_.push_back({hash, parent, k_no_state});
    recent = (hash & k_upper) | fresh;
    return fresh;
}

}  // namespace drydock::checker
