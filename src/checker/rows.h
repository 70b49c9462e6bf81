// Rows: every row that was reached, each once, with the row from which it was first reached.
//
// A row that differs from one that was reached before in having spent more of the budgets adds
// nothing: whatever can happen from it can happen there, by a story that is no longer. It is left
// out.
//
// Rows lie one after the other in large pieces of memory that never move, each with its parent
// behind it; an open-addressing table of 64-bit entries (half a hash, half an index) finds them.
// Looked up are many at a time, so that cache misses overlap. One thread.
#pragma once

#include "checker/site.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace drydock::checker {

inline constexpr std::uint32_t k_nobody = 0xFFFFFFFFU;

// A row that may be new.
struct Candidate {
    std::uint64_t hash = 0;
    std::uint32_t parent = k_nobody;
    std::uint32_t index = k_nobody;  // once it is inserted: of the row that stands for it
};

// Memory that is read here and there: in large pages where the system has them.
struct Released {
    void operator()(void* memory) const { std::free(memory); }
};

template <class T>
using Spread = std::unique_ptr<T[], Released>;

class Rows {
public:
    // With `keeps_spent`, rows that differ only in what was spent are kept apart.
    Rows(std::size_t row_size, bool no_dominance_pruning);

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] const Byte* row(std::size_t index) const { return at(index); }

    [[nodiscard]] std::uint32_t parent(std::size_t index) const;

    [[nodiscard]] std::size_t bytes() const;

    // Of all by which rows are told apart.
    [[nodiscard]] std::uint64_t hash_of(const Byte* row) const;
    // Whether `by` makes the other needless.
    [[nodiscard]] bool is_covered(const Byte* dominator, const Byte* row) const;
    // Keeps what is new of the candidates, whose rows lie one after the other.
    void insert(std::span<Candidate> candidates, const Byte* rows);
    // The index of the first one that is equal but for what was spent, or k_nobody.
    [[nodiscard]] std::uint32_t find(const Byte* target_row, std::uint64_t hash) const;

private:
    [[nodiscard]] Byte* at(std::size_t index) const {
        return &pieces_[index >> piece_bits_][(index & (piece() - 1)) * stride_];
    }

    [[nodiscard]] std::size_t piece() const { return std::size_t{1} << piece_bits_; }

    void ask_for(std::uint64_t hash) const;
    void insert_one(Candidate& candidate, const Byte* row);
    void append(const Candidate& candidate, const Byte* row);
    void grow();

    // Indices are below 2^32, and so are tables: the upper half of a hash tells its place.
    [[nodiscard]] std::size_t place(std::uint64_t hash) const { return hash >> shift_; }

    [[nodiscard]] std::size_t after(std::size_t position) const {
        return (position + 1) & (places() - 1);
    }

    [[nodiscard]] std::size_t places() const { return std::size_t{1} << (64 - shift_); }

    static constexpr unsigned k_table_bits = 12;

    std::size_t row_size_;
    std::size_t same_;  // bytes by which rows are told apart
    std::size_t stride_;
    unsigned piece_bits_;  // of the number of rows in a piece
    std::vector<Spread<Byte>> pieces_;
    std::size_t size_ = 0;
    unsigned shift_ = 64 - k_table_bits;
    Spread<std::uint64_t> table_;  // upper half of the hash, index + 1; 0: free
};

}  // namespace drydock::checker
