#include "checker/rows.h"

#include "base/hash.h"

#include <cstring>

namespace drydock::checker {

namespace {

constexpr std::size_t k_table_min = 1U << 12U;
constexpr std::size_t k_ahead = 12;  // candidates whose places in memory are asked for beforehand
constexpr std::uint64_t k_upper = 0xFFFFFFFF00000000ULL;

// Whether no byte of what `one` has spent is larger than the other's. Bytes are below 128.
bool spent_no_more(const Byte* one, const Byte* other) {
    constexpr std::uint64_t k_tops = 0x8080808080808080ULL;
    std::uint64_t less = 0;
    std::uint64_t more = 0;
    std::memcpy(&less, one, k_spent);
    std::memcpy(&more, other, k_spent);
    return (((more | k_tops) - less) & k_tops) == k_tops;
}

}  // namespace

std::uint64_t hash_of(const Byte* row, std::size_t size) {
    return xxh3({row, size - k_spent});
}

Rows::Rows(std::size_t row_size)
    : row_size_(row_size)
    , table_(k_table_min, 0)
    , mask_(k_table_min - 1) {
}

std::size_t Rows::bytes() const {
    return pieces_.size() * k_piece * row_size_ + parents_.capacity() * sizeof(std::uint32_t)
           + table_.size() * sizeof(std::uint64_t);
}

bool Rows::is_covered(const Byte* by, const Byte* row) const {
    const std::size_t same = row_size_ - k_spent;
    return std::memcmp(by, row, same) == 0 && spent_no_more(by + same, row + same);
}

void Rows::append(const Candidate& candidate) {
    const std::size_t index = parents_.size();
    if ((index & (k_piece - 1)) == 0) {
        pieces_.push_back(std::make_unique_for_overwrite<Byte[]>(k_piece * row_size_));
    }
    std::memcpy(&pieces_.back()[(index & (k_piece - 1)) * row_size_], candidate.row, row_size_);
    parents_.push_back(candidate.parent);
}

void Rows::insert_one(const Candidate& candidate) {
    const std::uint64_t tag = candidate.hash & k_upper;
    for (std::size_t at = candidate.hash & mask_;; at = (at + 1) & mask_) {
        const std::uint64_t entry = table_[at];
        if (entry == 0) {
            append(candidate);
            table_[at] = tag | parents_.size();
            return;
        }
        const std::size_t index = (entry & ~k_upper) - 1;
        if ((entry & k_upper) == tag && is_covered(row(index), candidate.row)) {
            return;
        }
    }
}

void Rows::insert(std::span<const Candidate> candidates) {
    while (2 * (parents_.size() + candidates.size()) > table_.size()) {
        grow();
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i + 2 * k_ahead < candidates.size()) {
            __builtin_prefetch(&table_[candidates[i + 2 * k_ahead].hash & mask_]);
        }
        if (i + k_ahead < candidates.size()) {
            const std::uint64_t hash = candidates[i + k_ahead].hash;
            const std::uint64_t entry = table_[hash & mask_];
            if (entry != 0 && ((entry ^ hash) & k_upper) == 0) {
                __builtin_prefetch(row((entry & ~k_upper) - 1));
            }
        }
        insert_one(candidates[i]);
    }
}

std::uint32_t Rows::find(const Byte* wanted, std::uint64_t hash) const {
    for (std::size_t at = hash & mask_; table_[at] != 0; at = (at + 1) & mask_) {
        const std::size_t index = (table_[at] & ~k_upper) - 1;
        if (((table_[at] ^ hash) & k_upper) == 0
            && std::memcmp(row(index), wanted, row_size_ - k_spent) == 0) {
            return static_cast<std::uint32_t>(index);
        }
    }
    return k_nobody;
}

// Indices are below 2^32, and so are tables: the lower half of a hash tells its place.
void Rows::grow() {
    const std::size_t size = 2 * table_.size();
    table_.assign(size, 0);
    mask_ = size - 1;
    for (std::size_t i = 0; i < parents_.size(); ++i) {
        const std::uint64_t hash = hash_of(row(i), row_size_);
        std::size_t at = hash & mask_;
        while (table_[at] != 0) {
            at = (at + 1) & mask_;
        }
        table_[at] = (hash & k_upper) | (i + 1);
    }
}

}  // namespace drydock::checker
