// Symmetry: members that the plan treats alike may be taken for one another, so of all rows that
// differ only by who is who, one is kept: the one in which they are sorted.
//
// Alike are two members if exchanging them maps the plan, its conditions and the first state onto
// themselves: that is checked, not assumed. Members of one role that the plan took one after the
// other are alike from where it does not tell them apart any more; and as long as it has not come
// to them (naming.h).
#pragma once

#include "checker/exchange.h"
#include "checker/naming.h"

#include <optional>
#include <span>
#include <vector>

namespace drydock::checker {

class Symmetry {
public:
    // Members that are alike once so many actions of theirs are over.
    struct Family {
        std::vector<int> members;
        std::size_t steps = 0;
    };

    // Without `on`, rows stay as they are. `late`: members are told apart where the plan comes to
    // them, which is of use only where faults have made them different.
    Symmetry(const Site& site, bool is_enabled, bool lazy);

    // Exchanges members until they are sorted. Rows of the same picture become equal.
    void sort(Byte* row);

    // Sorts `row`, to which a step from the sorted row `before` led; all rows that it may have led
    // to, one after the other, until the next call.
    [[nodiscard]] std::span<const Byte> versions(const Byte* previous_row, Byte* row) {
        return on_ ? sorted_versions(previous_row, row) : std::span<const Byte>(row, site_.size);
    }

    // For each member, the first one that is in the same state as it in the sorted row, so that
    // what happens to either leads to the same row.
    void find_first(const Byte* row, std::vector<int>& first);

    // Members that may be taken for others at some time.
    [[nodiscard]] std::vector<bool> exchanged() const;

    [[nodiscard]] const std::optional<Naming>& naming() const { return naming_; }

    // Groups of members that are alike from the start; for people and tests.
    [[nodiscard]] const std::vector<Family>& groups() const { return groups_; }

private:
    [[nodiscard]] std::span<const Byte> sorted_versions(const Byte* previous_row, Byte* row);
    void add_family(const Family& family);
    void name_late();
    void
    find_first(const std::vector<int>& members, const Byte* row, std::vector<int>& first) const;
    void sort_group(const std::vector<int>& members, std::size_t steps, Byte* row);
    [[nodiscard]] const std::vector<int>& through(const Family& family, const Byte* row);
    [[nodiscard]] bool is_over(int member, std::size_t steps, const Byte* row) const;

    const Site& site_;
    bool on_;
    OwnActions own_;
    std::vector<Family> groups_;  // alike from the start; steps: those of the family that it meets
    std::vector<Family> families_;
    std::vector<int> through_;
    std::vector<Byte> over_;
    std::optional<Naming> naming_;
    std::vector<Byte> held_;
    std::vector<Byte> versions_;
};

}  // namespace drydock::checker
