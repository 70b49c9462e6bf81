// InsertBuffer: the candidates that one thread found for one store, until the store takes them.
//
// Paths that differ only in the order of two events soon meet again, so most duplicates occur
// within one chunk of a level. A small table of recent candidates drops them early. It fits the
// processor's cache, and the table of a store does not. One thread at a time.
#pragma once

#include "checker/state_store.h"

#include <array>
#include <cstdint>
#include <vector>

namespace drydock::checker {

// An edge from a row, by its id, to a candidate.
struct WitnessEdge {
    std::uint32_t source = k_no_state;
    std::uint32_t candidate = 0;
};

class InsertBuffer {
public:
    explicit InsertBuffer(std::size_t row_size);

    void clear();

    // Returns the candidate that represents the row: an earlier one, or a new one.
    std::uint32_t
    add(const StateStore& rows, const Byte* row, std::uint64_t hash, std::uint32_t parent);

    void link(WitnessEdge link) { links_.push_back(link); }

    // Inserts all candidates into their store.
    void hand_over(StateStore& rows) { rows.insert(candidates_, rows_.data()); }

    [[nodiscard]] const std::vector<WitnessEdge>& links() const { return links_; }

    // Returns the index of the row that represents a candidate, after hand_over().
    [[nodiscard]] std::uint32_t index(std::uint32_t candidate) const {
        return candidates_[candidate].index;
    }

private:
    static constexpr std::size_t k_lately = std::size_t{1} << 10U;

    // The lowest bit of a hash selects the store, so a slot is taken from the bits above it.
    static std::size_t slot(std::uint64_t hash) { return (hash >> 1U) & (k_lately - 1); }

    std::size_t row_size_;
    std::vector<Byte> rows_;
    std::vector<Candidate> candidates_;
    std::vector<WitnessEdge> links_;
    // Upper half of the hash, candidate. Entries of an earlier chunk stay; add() compares the rows.
    std::vector<std::uint64_t> recent_;
};

}  // namespace drydock::checker
