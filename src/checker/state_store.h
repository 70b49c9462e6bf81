// StateStore: a hash set of the rows that were reached, each with its parent in the search.
//
// Dominance pruning: a row is dropped if a stored row equals it but for a fault usage that is
// nowhere higher. Every continuation of the dropped row continues the stored row, too, on a path
// that is no longer.
//
// Rows lie in large chunks of memory that never move, each with its parent's index behind it. An
// open-addressing table of 64-bit entries (half a hash, half an index) finds them. Lookups come in
// batches, so that cache misses overlap. One thread at a time.
#pragma once

#include "checker/model.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

namespace drydock::checker {

inline constexpr std::uint32_t k_no_state = 0xFFFFFFFFU;

// Narrows an index to the 32 bits that a row takes; a store has fewer rows.
[[nodiscard]] constexpr std::uint32_t to_id(std::uint64_t index) {
    return static_cast<std::uint32_t>(index);
}

// A row that the store may lack.
struct Candidate {
    std::uint64_t hash = 0;
    std::uint32_t parent = k_no_state;
    std::uint32_t index = k_no_state;  // after insert(): of the row that represents it
};

struct FreeDeleter {
    void operator()(void* memory) const { std::free(memory); }
};

// An array with random access: in large pages where the system has them.
template <class T>
using HugeArray = std::unique_ptr<T[], FreeDeleter>;

class StateStore {
public:
    // With `no_dominance_pruning`, rows that differ in fault usage alone are distinct.
    StateStore(std::size_t row_size, bool no_dominance_pruning);

    [[nodiscard]] std::size_t size() const { return size_; }

    [[nodiscard]] const Byte* row(std::size_t index) const { return at(index); }

    [[nodiscard]] std::uint32_t parent(std::size_t index) const;

    [[nodiscard]] std::size_t bytes() const;

    // Hashes the bytes that distinguish rows.
    [[nodiscard]] std::uint64_t hash_of(const Byte* row) const;
    // True if `dominator` makes `row` redundant.
    [[nodiscard]] bool is_dominated(const Byte* dominator, const Byte* row) const;
    // Inserts the new ones of the candidates. Their rows lie one after the other in `rows`.
    void insert(std::span<Candidate> candidates, const Byte* rows);
    // Returns the index of the first row that is equal but for fault usage, or k_no_state.
    [[nodiscard]] std::uint32_t find(const Byte* target_row, std::uint64_t hash) const;

private:
    [[nodiscard]] Byte* at(std::size_t index) const {
        return &pieces_[index >> piece_bits_][(index & (piece() - 1)) * stride_];
    }

    [[nodiscard]] std::size_t piece() const { return std::size_t{1} << piece_bits_; }

    void prefetch(std::uint64_t hash) const;
    void insert_one(Candidate& candidate, const Byte* row);
    void append(const Candidate& candidate, const Byte* row);
    void grow();

    // The first slot for a hash: its upper bits. Tables have fewer than 2^32 slots, so the upper
    // half of a hash suffices.
    [[nodiscard]] std::size_t slot(std::uint64_t hash) const { return hash >> shift_; }

    [[nodiscard]] std::size_t next_slot(std::size_t position) const {
        return (position + 1) & (slots() - 1);
    }

    [[nodiscard]] std::size_t slots() const { return std::size_t{1} << (64 - shift_); }

    static constexpr unsigned k_table_bits = 12;

    std::size_t row_size_;
    std::size_t compared_size_;  // bytes that distinguish rows
    std::size_t stride_;
    unsigned piece_bits_;  // log2 of the rows in a chunk of memory
    std::vector<HugeArray<Byte>> pieces_;
    std::size_t size_ = 0;
    unsigned shift_ = 64 - k_table_bits;
    HugeArray<std::uint64_t> table_;  // upper half of the hash, index + 1; 0: free
};

}  // namespace drydock::checker
