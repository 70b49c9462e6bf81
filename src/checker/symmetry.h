// Symmetry: members that the plan treats alike may be taken for one another, so of all rows that
// differ only by who is who, one is kept: the one in which they are sorted.
//
// Alike are two members if exchanging them maps the plan, its conditions and the first state onto
// themselves: that is checked, not assumed. Members of one role that the plan took one after the
// other are alike from where it does not tell them apart any more.
#pragma once

#include "checker/site.h"

#include <vector>

namespace drydock::checker {

class Symmetry {
public:
    // Members that are alike once so many actions of theirs are over.
    struct Family {
        std::vector<int> members;
        std::size_t steps = 0;
    };

    // Without `on`, rows stay as they are.
    Symmetry(const Site& site, bool on);

    // Exchanges members until they are sorted. Rows of the same picture become equal.
    void sort(Byte* row);

    // Groups of members that are alike from the start; for people and tests.
    [[nodiscard]] const std::vector<Family>& groups() const { return groups_; }

private:
    void add_family(const Family& family);
    void sort_group(const std::vector<int>& members, std::size_t steps, Byte* row);
    [[nodiscard]] bool is_over(int member, std::size_t steps, const Byte* row) const;

    const Site& site_;
    std::vector<std::vector<std::size_t>> actions_;  // of each member, in the plan's order
    std::vector<Family> groups_;  // alike from the start; steps: those of the family that it meets
    std::vector<Family> families_;
    std::vector<int> through_;
    std::vector<bool> over_;
    std::vector<Byte> held_;
};

}  // namespace drydock::checker
