// The state store: linear probing in a table of 64-bit entries, rows in chunks of 16 MB.
//
// An entry holds the upper half of the hash and the index of its row plus one, so most probes never
// touch a row. Growing the table moves entries by that half alone. insert() prefetches ahead: the
// slots of later candidates first, then the rows that these slots point to. A state costs its row,
// four bytes for the parent and its share of the table.
#include "checker/state_store.h"

#include "base/check.h"
#include "base/hash.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace drydock::checker {

namespace {

constexpr std::size_t k_small_page = 4096;
constexpr std::size_t k_large_page = std::size_t{2} << 20U;
constexpr unsigned k_large_from = 64 - 18;  // as shift_: tables of 2 MB or more
constexpr std::size_t k_piece_bytes = std::size_t{16} << 20U;
constexpr std::size_t k_ahead = 12;  // candidates between a prefetch and its use
constexpr std::uint64_t k_upper = 0xFFFFFFFF00000000ULL;

// True if no byte of the fault usage of `dominator` is larger than its counterpart. All eight bytes
// are compared in one subtraction: bytes are below 128, so a set top bit survives unless its byte
// borrows.
bool used_no_more_faults(const Byte* dominator, const Byte* row) {
    constexpr std::uint64_t k_tops = 0x8080808080808080ULL;
    std::uint64_t dominator_usage = 0;
    std::uint64_t row_usage = 0;
    std::memcpy(&dominator_usage, dominator, k_fault_usage_size);
    std::memcpy(&row_usage, row, k_fault_usage_size);
    return (((row_usage | k_tops) - dominator_usage) & k_tops) == k_tops;
}

enum class Pages { as_touched, at_once, large };

// Large pages save TLB misses of random access. Pages that are filled in order are mapped at once,
// which is faster than a fault for each.
template <class T>
HugeArray<T> spread(std::size_t count, Pages pages) {
    const std::size_t page = pages == Pages::large ? k_large_page : k_small_page;
    const std::size_t bytes = (count * sizeof(T) + page - 1) / page * page;
    void* memory = std::aligned_alloc(page, bytes);
    CHECK(memory != nullptr);
    if (pages == Pages::large) {
        ::madvise(memory, bytes, MADV_HUGEPAGE);  // or small ones: as fast, almost
    } else if (pages == Pages::at_once) {
        ::madvise(memory, bytes, MADV_POPULATE_WRITE);  // or as they are touched
    }
    return HugeArray<T>(static_cast<T*>(memory));
}

HugeArray<std::uint64_t> table_of(std::size_t places, bool large) {
    return spread<std::uint64_t>(places, large ? Pages::large : Pages::as_touched);
}

}  // namespace

StateStore::StateStore(std::size_t row_size, bool no_dominance_pruning)
    : row_size_(row_size)
    , compared_size_(no_dominance_pruning ? row_size : row_size - k_fault_usage_size)
    , stride_(row_size + sizeof(std::uint32_t))
    , piece_bits_(static_cast<unsigned>(std::bit_width(k_piece_bytes / stride_)) - 1)
    , table_(table_of(slots(), shift_ <= k_large_from)) {
    std::fill_n(table_.get(), slots(), 0);
}

std::uint64_t StateStore::hash_of(const Byte* row) const {
    return xxh3({row, compared_size_});
}

std::size_t StateStore::bytes() const {
    return size_ * stride_ + slots() * sizeof(std::uint64_t);
}

// With no_dominance_pruning, compared_size_ covers the fault usage, too.
bool StateStore::is_dominated(const Byte* dominator, const Byte* row) const {
    return std::memcmp(dominator, row, compared_size_) == 0
           && (compared_size_ == row_size_
               || used_no_more_faults(dominator + compared_size_, row + compared_size_));
}

std::uint32_t StateStore::parent(std::size_t index) const {
    std::uint32_t parent = k_no_state;
    std::memcpy(&parent, at(index) + row_size_, sizeof parent);
    return parent;
}

// A small search needs only the pages that it touches, so the first chunk is not mapped at once.
void StateStore::append(const Candidate& candidate, const Byte* row) {
    if ((size_ & (piece() - 1)) == 0) {
        const Pages pages = pieces_.empty() ? Pages::as_touched : Pages::at_once;
        pieces_.push_back(spread<Byte>(piece() * stride_, pages));
    }
    Byte* destination = at(size_);
    std::memcpy(destination, row, row_size_);
    std::memcpy(destination + row_size_, &candidate.parent, sizeof candidate.parent);
    ++size_;
}

// Stops at the first row that dominates the candidate. Rows with equal bytes but incomparable usage
// coexist in the same run of slots.
void StateStore::insert_one(Candidate& candidate, const Byte* row) {
    const std::uint64_t tag = candidate.hash & k_upper;
    for (std::size_t position = slot(candidate.hash);; position = next_slot(position)) {
        const std::uint64_t entry = table_[position];
        if (entry == 0) {
            candidate.index = to_id(size_);
            append(candidate, row);
            table_[position] = tag | size_;
            return;
        }
        const std::size_t index = (entry & ~k_upper) - 1;
        if ((entry & k_upper) == tag && is_dominated(this->row(index), row)) {
            candidate.index = to_id(index);
            return;
        }
    }
}

// Prefetches both ends of the row with which a candidate may be compared.
void StateStore::prefetch(std::uint64_t hash) const {
    std::size_t position = slot(hash);
    while (table_[position] != 0 && ((table_[position] ^ hash) & k_upper) != 0) {
        position = next_slot(position);
    }
    if (table_[position] != 0) {
        const Byte* stored_row = row((table_[position] & ~k_upper) - 1);
        __builtin_prefetch(stored_row);
        __builtin_prefetch(stored_row + row_size_ - 1);
    }
}

// Grows first, so the table stays below two thirds and every probe ends at a free slot.
void StateStore::insert(std::span<Candidate> candidates, const Byte* rows) {
    while (3 * (size_ + candidates.size()) > 2 * slots()) {
        grow();
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i + 2 * k_ahead < candidates.size()) {
            __builtin_prefetch(&table_[slot(candidates[i + 2 * k_ahead].hash)]);
        }
        if (i + k_ahead < candidates.size()) {
            prefetch(candidates[i + k_ahead].hash);
        }
        insert_one(candidates[i], rows + i * row_size_);
    }
}

std::uint32_t StateStore::find(const Byte* target_row, std::uint64_t hash) const {
    for (std::size_t position = slot(hash); table_[position] != 0; position = next_slot(position)) {
        const std::size_t index = (table_[position] & ~k_upper) - 1;
        if (((table_[position] ^ hash) & k_upper) == 0
            && std::memcmp(row(index), target_row, compared_size_) == 0) {
            return to_id(index);
        }
    }
    return k_no_state;
}

// An entry contains the bits that select its slot, so rows are not read.
void StateStore::grow() {
    const std::size_t old_size = slots();
    --shift_;
    const auto old = std::exchange(table_, table_of(slots(), shift_ <= k_large_from));
    std::fill_n(table_.get(), slots(), 0);
    for (std::size_t i = 0; i < old_size; ++i) {
        const std::uint64_t entry = old[i];
        if (entry == 0) {
            continue;
        }
        std::size_t position = slot(entry);
        while (table_[position] != 0) {
            position = next_slot(position);
        }
        table_[position] = entry;
    }
}

}  // namespace drydock::checker
