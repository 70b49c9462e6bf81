// LazyMemberIdentity: symmetry reduction for members that the plan has not reached. Their
// identities stay open until the plan reaches them.
//
// A rolling plan takes its members one after the other. Take two members of which no action has
// begun, and which all other actions treat alike. Swapping them in the whole past gives another
// path of the same length, so their blocks are sorted. The next member that the plan reaches may
// have any of the blocks: each distinct block gives one instance of the successor. That the members
// are alike up to then is verified, not assumed. Later steps of the plan, and their order, make no
// difference.
#pragma once

#include "checker/swap_symmetry.h"

#include <optional>
#include <utility>
#include <vector>

namespace drydock::checker {

class LazyMemberIdentity {
public:
    // Leaves members in `excluded` alone.
    LazyMemberIdentity(const Model& model,
                       const ActionsByMember& member_actions,
                       const std::vector<bool>& excluded);

    // Sorts the members without identity.
    void sort(Byte* row);
    // Sets `rows` to the instances of the step from `previous_row` to `row`, both sorted. `row`
    // comes first, then one row for each other distinct block that the next member may have.
    void versions(const Byte* previous_row, const Byte* row, std::vector<Byte>& rows);
    // Returns the swaps that make those instances, for rows that are not sorted.
    [[nodiscard]] std::vector<std::pair<Index, Index>> exchanges(const Byte* previous_row,
                                                                 const Byte* row) const;
    void exchange(Index first, Index second, Byte* row) const;

    // Returns for each chain its members without identity, in the order of sorting.
    [[nodiscard]] std::vector<std::vector<Index>> unnamed(const Byte* row) const;

    // Returns the chains: members that are interchangeable until they have an identity, in the
    // plan's order. For people and tests.
    [[nodiscard]] std::vector<std::vector<Index>> lines() const;

private:
    struct Chain {
        std::vector<Index> members;
        std::vector<std::size_t> links;  // a member has its identity once this action is over
    };

    // A member that has just got its identity; the members behind it in the chain have none.
    struct IdentifiedMember {
        const Chain* line = nullptr;
        std::size_t next = 0;
    };

    void add(Chain line);
    [[nodiscard]] Byte* block(const Chain& line, std::size_t i, Byte* row) const;
    [[nodiscard]] std::size_t named(const Chain& line, const Byte* row) const;
    void sort_from(const Chain& line, std::size_t first, Byte* row);
    [[nodiscard]] std::optional<IdentifiedMember> identified_by(const Byte* previous_row,
                                                                const Byte* row) const;

    const Model& model_;
    std::vector<Chain> chains_;
    std::vector<Byte> block_buffer_;
};

}  // namespace drydock::checker
