// Late naming: which of the members that the plan has not come to yet is which, is left open until
// it comes to them.
//
// A rolling plan takes its members one after the other. As long as nothing was begun on two of
// them, and nobody else treats them differently, what has become of one may as well have become of
// the other: exchanging them in all that has happened so far makes another story of the same
// length. So their blocks are sorted; and where the plan comes to the next one, it may be any of
// the blocks that are there: one row for each that is different (its versions). That they are alike
// up to then is checked, not assumed; what the plan does with them later, and in which order, is no
// matter.
#pragma once

#include "checker/exchange.h"

#include <optional>
#include <utility>
#include <vector>

namespace drydock::checker {

class Naming {
public:
    // Members in `taken` are left alone.
    Naming(const Site& site, const OwnActions& member_actions, const std::vector<bool>& excluded);

    // Sorts the members that have no name yet.
    void sort(Byte* row);
    // What the step from `before` to `row` may have led to, both sorted: `row` first, then one for
    // each other block that the member which is next now may have; one after the other.
    void versions(const Byte* previous_row, const Byte* row, std::vector<Byte>& rows);
    // The same, where nothing is sorted: the exchanges that make those versions.
    [[nodiscard]] std::vector<std::pair<int, int>> exchanges(const Byte* previous_row,
                                                             const Byte* row) const;
    void exchange(int first, int second, Byte* row) const;

    // Of each line those that have no name yet, in the order in which they are sorted.
    [[nodiscard]] std::vector<std::vector<int>> unnamed(const Byte* row) const;

    // Members that may be exchanged as long as they have no name, in the plan's order. For people
    // and tests.
    [[nodiscard]] std::vector<std::vector<int>> lines() const;

private:
    struct Line {
        std::vector<int> members;
        std::vector<std::size_t> links;  // a member has its name once this action is over
    };

    // A member that has its name now, and those behind it have none.
    struct Named {
        const Line* line = nullptr;
        std::size_t next = 0;
    };

    void add(Line line);
    [[nodiscard]] Byte* block(const Line& line, std::size_t i, Byte* row) const;
    [[nodiscard]] std::size_t named(const Line& line, const Byte* row) const;
    void sort_from(const Line& line, std::size_t first, Byte* row);
    [[nodiscard]] std::optional<Named> named_by(const Byte* previous_row, const Byte* row) const;

    const Site& site_;
    std::vector<Line> lines_;
    std::vector<Byte> held_;
};

}  // namespace drydock::checker
