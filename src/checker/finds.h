// Finds: what one thread found in one piece of a level for one store, until the store takes it.
//
// Ways that differ only in the order of two events meet again soon: most rows that are found twice
// are found twice within a piece. A small table of what was found lately, which the processor's own
// memory holds, keeps those from the store, whose table it does not hold. One thread at a time.
#pragma once

#include "checker/rows.h"

#include <array>
#include <cstdint>
#include <vector>

namespace drydock::checker {

// A row, by its id, and the candidate that it leads to.
struct Link {
    std::uint32_t from = k_nobody;
    std::uint32_t candidate = 0;
};

class Finds {
public:
    explicit Finds(std::size_t row_size);

    void clear();

    // The candidate that stands for the row: an earlier one, or a new one.
    std::uint32_t add(const Rows& rows, const Byte* row, std::uint64_t hash, std::uint32_t parent);

    void link(Link link) { links_.push_back(link); }

    // Hands all over to its store.
    void hand_over(Rows& rows) { rows.insert(candidates_, rows_.data()); }

    [[nodiscard]] const std::vector<Link>& links() const { return links_; }

    // Of the row that stands for a candidate, once they are handed over.
    [[nodiscard]] std::uint32_t index(std::uint32_t candidate) const {
        return candidates_[candidate].index;
    }

private:
    static constexpr std::size_t k_lately = std::size_t{1} << 10U;

    // Its lowest bit tells the store.
    static std::size_t slot(std::uint64_t hash) { return (hash >> 1U) & (k_lately - 1); }

    std::size_t row_size_;
    std::vector<Byte> rows_;
    std::vector<Candidate> candidates_;
    std::vector<Link> links_;
    // Upper half of the hash, candidate; what an earlier piece left is told by its row.
    std::vector<std::uint64_t> lately_;
};

}  // namespace drydock::checker
