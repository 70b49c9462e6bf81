// Rows: every row that was reached, each once, with the row from which it was first reached.
//
// A row that differs from one that was reached before in having spent more of the budgets adds
// nothing: whatever can happen from it can happen there, by a story that is no longer. It is left
// out.
//
// Rows lie one after the other in large pieces of memory that never move; an open-addressing table
// of 64-bit entries (half a hash, half an index) finds them. Looked up are many at a time, so that
// cache misses overlap. One thread.
#pragma once

#include "checker/site.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace drydock::checker {

inline constexpr std::uint32_t k_nobody = 0xFFFFFFFFU;

// A row that may be new.
struct Candidate {
    std::uint64_t hash = 0;
    std::uint32_t parent = k_nobody;
    const Byte* row = nullptr;
};

class Rows {
public:
    explicit Rows(std::size_t row_size);

    [[nodiscard]] std::size_t size() const { return parents_.size(); }

    [[nodiscard]] const Byte* row(std::size_t index) const {
        return &pieces_[index >> k_piece_bits][(index & (k_piece - 1)) * row_size_];
    }

    [[nodiscard]] std::uint32_t parent(std::size_t index) const { return parents_[index]; }

    [[nodiscard]] std::size_t bytes() const;

    // Keeps what is new.
    void insert(std::span<const Candidate> candidates);
    // The index of the first one that is equal but for what was spent, or k_nobody.
    [[nodiscard]] std::uint32_t find(const Byte* row, std::uint64_t hash) const;

private:
    static constexpr std::size_t k_piece_bits = 14;
    static constexpr std::size_t k_piece = std::size_t{1} << k_piece_bits;  // rows

    // Whether `by`, which is kept, makes the other needless.
    [[nodiscard]] bool is_covered(const Byte* by, const Byte* row) const;
    void insert_one(const Candidate& candidate);
    void append(const Candidate& candidate);
    void grow();

    std::size_t row_size_;
    std::vector<std::unique_ptr<Byte[]>> pieces_;
    std::vector<std::uint32_t> parents_;
    std::vector<std::uint64_t> table_;  // upper half of the hash, index + 1; 0: free
    std::size_t mask_ = 0;
};

// Of all but what was spent.
[[nodiscard]] std::uint64_t hash_of(const Byte* row, std::size_t size);

}  // namespace drydock::checker
