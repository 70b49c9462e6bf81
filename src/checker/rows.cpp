#include "checker/rows.h"

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
constexpr std::size_t k_ahead = 12;  // candidates whose places in memory are asked for beforehand
constexpr std::uint64_t k_upper = 0xFFFFFFFF00000000ULL;

// Whether no byte of what `one` has spent is larger than the other's. Bytes are below 128.
bool spent_no_more(const Byte* left, const Byte* right) {
    constexpr std::uint64_t k_tops = 0x8080808080808080ULL;
    std::uint64_t left_bytes = 0;
    std::uint64_t right_bytes = 0;
    std::memcpy(&left_bytes, left, k_spent);
    std::memcpy(&right_bytes, right, k_spent);
    return (((right_bytes | k_tops) - left_bytes) & k_tops) == k_tops;
}

enum class Pages { as_touched, at_once, large };

template <class T>
Spread<T> spread(std::size_t count, Pages pages) {
    const std::size_t page = pages == Pages::large ? k_large_page : k_small_page;
    const std::size_t bytes = (count * sizeof(T) + page - 1) / page * page;
    void* memory = std::aligned_alloc(page, bytes);
    CHECK(memory != nullptr);
    if (pages == Pages::large) {
        ::madvise(memory, bytes, MADV_HUGEPAGE);  // or small ones: as fast, almost
    } else if (pages == Pages::at_once) {
        ::madvise(memory, bytes, MADV_POPULATE_WRITE);  // or as they are touched
    }
    return Spread<T>(static_cast<T*>(memory));
}

Spread<std::uint64_t> table_of(std::size_t places, bool large) {
    return spread<std::uint64_t>(places, large ? Pages::large : Pages::as_touched);
}

}  // namespace

Rows::Rows(std::size_t row_size, bool keeps_spent)
    : row_size_(row_size)
    , same_(keeps_spent ? row_size : row_size - k_spent)
    , stride_(row_size + sizeof(std::uint32_t))
    , piece_bits_(static_cast<unsigned>(std::bit_width(k_piece_bytes / stride_)) - 1)
    , table_(table_of(places(), shift_ <= k_large_from)) {
    std::fill_n(table_.get(), places(), 0);
}

std::uint64_t Rows::hash_of(const Byte* row) const {
    return xxh3({row, same_});
}

std::size_t Rows::bytes() const {
    return size_ * stride_ + places() * sizeof(std::uint64_t);
}

bool Rows::is_covered(const Byte* dominator, const Byte* row) const {
    return std::memcmp(dominator, row, same_) == 0
           && (same_ == row_size_ || spent_no_more(dominator + same_, row + same_));
}

std::uint32_t Rows::parent(std::size_t index) const {
    std::uint32_t parent = k_nobody;
    std::memcpy(&parent, at(index) + row_size_, sizeof parent);
    return parent;
}

// A small question never needs more than the small pages that it touches of the first piece.
void Rows::append(const Candidate& candidate, const Byte* row) {
    if ((size_ & (piece() - 1)) == 0) {
        const Pages pages = pieces_.empty() ? Pages::as_touched : Pages::at_once;
        pieces_.push_back(spread<Byte>(piece() * stride_, pages));
    }
    Byte* destination = at(size_);
    std::memcpy(destination, row, row_size_);
    std::memcpy(destination + row_size_, &candidate.parent, sizeof candidate.parent);
    ++size_;
}

void Rows::insert_one(Candidate& candidate, const Byte* row) {
    const std::uint64_t tag = candidate.hash & k_upper;
    for (std::size_t position = place(candidate.hash);; position = after(position)) {
        const std::uint64_t entry = table_[position];
        if (entry == 0) {
            candidate.index = static_cast<std::uint32_t>(size_);
            append(candidate, row);
            table_[position] = tag | size_;
            return;
        }
        const std::size_t index = (entry & ~k_upper) - 1;
        if ((entry & k_upper) == tag && is_covered(this->row(index), row)) {
            candidate.index = static_cast<std::uint32_t>(index);
            return;
        }
    }
}

// Both ends of the row that it may be compared with.
void Rows::ask_for(std::uint64_t hash) const {
    std::size_t position = place(hash);
    while (table_[position] != 0 && ((table_[position] ^ hash) & k_upper) != 0) {
        position = after(position);
    }
    if (table_[position] != 0) {
        const Byte* stored_row = row((table_[position] & ~k_upper) - 1);
        __builtin_prefetch(stored_row);
        __builtin_prefetch(stored_row + row_size_ - 1);
    }
}

void Rows::insert(std::span<Candidate> candidates, const Byte* rows) {
    while (3 * (size_ + candidates.size()) > 2 * places()) {
        grow();
    }
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i + 2 * k_ahead < candidates.size()) {
            __builtin_prefetch(&table_[place(candidates[i + 2 * k_ahead].hash)]);
        }
        if (i + k_ahead < candidates.size()) {
            ask_for(candidates[i + k_ahead].hash);
        }
        insert_one(candidates[i], rows + i * row_size_);
    }
}

std::uint32_t Rows::find(const Byte* target_row, std::uint64_t hash) const {
    for (std::size_t position = place(hash); table_[position] != 0; position = after(position)) {
        const std::size_t index = (table_[position] & ~k_upper) - 1;
        if (((table_[position] ^ hash) & k_upper) == 0
            && std::memcmp(row(index), target_row, same_) == 0) {
            return static_cast<std::uint32_t>(index);
        }
    }
    return k_nobody;
}

// An entry tells its own place: rows are not looked at.
void Rows::grow() {
    const std::size_t old_size = places();
    --shift_;
    const auto old = std::exchange(table_, table_of(places(), shift_ <= k_large_from));
    std::fill_n(table_.get(), places(), 0);
    for (std::size_t i = 0; i < old_size; ++i) {
        const std::uint64_t entry = old[i];
        if (entry == 0) {
            continue;
        }
        std::size_t position = place(entry);
        while (table_[position] != 0) {
            position = after(position);
        }
        table_[position] = entry;
    }
}

}  // namespace drydock::checker
