// One order: of steps that have nothing to do with each other, all orders lead to the same rows in
// as many steps, so one of them is enough. Nothing else is lost: the same rows are reached, at the
// same depth. Why: docs/design/0004, "One order".
#pragma once

#include "checker/site.h"

#include <vector>

namespace drydock::checker {

class OneOrder {
public:
    // `asked`: what is lost is asked about in any order, and not settled before anything else.
    OneOrder(const Site& site, bool observable);

    // From now on. `exchanged`: members that may be taken for others. `way_on`: somebody follows
    // one way on from each row, which is told in any case.
    void keep(const std::vector<bool>& exchanged, bool needs_witness);

    // Whether anything can be left out.
    [[nodiscard]] bool is_kept() const { return kept_; }

    // The row, and the one from which it was reached in one step; null: nothing is left out.
    void begin(const Byte* row, const Byte* previous_row);

    // Whether what may happen to the action now could have happened before the last step, and that
    // one after it: then it was told there.
    [[nodiscard]] bool begin_is_told(std::size_t action);
    [[nodiscard]] bool end_is_told(std::size_t action);
    [[nodiscard]] bool failure_is_told(std::size_t action) const;
    // That the conductor dies.
    [[nodiscard]] bool death_is_told() const;

private:
    enum class Step : Byte { unknown, begun, ended, failed };

    [[nodiscard]] bool is_apart(std::size_t action) const;
    [[nodiscard]] bool comes_before(std::size_t action) const;

    const Site& site_;
    bool asked_;
    bool kept_ = false;
    bool way_on_ = false;
    bool spared_ = true;                // a way on is told
    Step last_ = Step::unknown;         // known only of an action that is apart
    std::uint32_t last_action_ = 0;     // whose step it was
    std::vector<std::uint32_t> apart_;  // by place in the row: the action, if it is apart
};

}  // namespace drydock::checker
