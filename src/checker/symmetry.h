// Symmetry: symmetry reduction by canonical representatives. Rows that differ only by a permutation
// of interchangeable members form an orbit; the sorted row represents it.
//
// Two members are interchangeable if swapping them maps the plan, its conditions and the initial
// state onto themselves. This is verified, not assumed. Members of one role that the plan takes one
// after the other become interchangeable once the plan no longer distinguishes them. They also are
// interchangeable until the plan reaches them (lazy_member_identity.h).
#pragma once

#include "checker/lazy_member_identity.h"
#include "checker/swap_symmetry.h"

#include <optional>
#include <span>
#include <vector>

namespace drydock::checker {

class Symmetry {
public:
    // Members that are interchangeable once `steps` actions of each are over.
    struct SymmetryGroup {
        std::vector<Index> members;
        std::size_t steps = 0;
    };

    // Without `is_enabled`, rows stay as they are. `lazy`: members get their identity when the plan
    // reaches them. This helps only where faults make members different.
    Symmetry(const Model& model, bool is_enabled, bool lazy);

    // Sorts members by their blocks. Rows of one orbit become equal.
    void sort(Byte* row);

    // Sorts `row`, a successor of the sorted row `previous_row`. Returns all rows that the step may
    // have led to, one after the other; they stay valid until the next call.
    [[nodiscard]] std::span<const Byte> instantiate(const Byte* previous_row, Byte* row) {
        return is_enabled_ ? sorted_instances(previous_row, row)
                           : std::span<const Byte>(row, model_.size);
    }

    // Finds for each member the first member with an equal block in the sorted row. A step of
    // either leads to the same row.
    void find_first(const Byte* row, std::vector<Index>& first);

    // True for members that are interchangeable with another one at some time.
    [[nodiscard]] std::vector<bool> symmetric_members() const;

    [[nodiscard]] const std::optional<LazyMemberIdentity>& lazy_identity() const {
        return lazy_identity_;
    }

    // Groups of members that are interchangeable from the start; for people and tests.
    [[nodiscard]] const std::vector<SymmetryGroup>& groups() const { return groups_; }

private:
    [[nodiscard]] std::span<const Byte> sorted_instances(const Byte* previous_row, Byte* row);
    void add_symmetry_group(const SymmetryGroup& family);
    void set_lazy_identity();
    void
    find_first(const std::vector<Index>& members, const Byte* row, std::vector<Index>& first) const;
    void sort_group(const std::vector<Index>& members, std::size_t steps, Byte* row);
    [[nodiscard]] const std::vector<Index>& alike_members(const SymmetryGroup& family,
                                                          const Byte* row);
    [[nodiscard]] bool is_over(Index member, std::size_t steps, const Byte* row) const;

    const Model& model_;
    bool is_enabled_;
    ActionsByMember member_actions_;
    std::vector<SymmetryGroup> groups_;  // from the start; steps: of the family that they overlap
    std::vector<SymmetryGroup> symmetry_groups_;
    std::vector<Index> alike_members_;
    std::vector<Byte> over_flags_;
    std::optional<LazyMemberIdentity> lazy_identity_;
    std::vector<Byte> block_buffer_;
    std::vector<Byte> instances_;
};

}  // namespace drydock::checker
