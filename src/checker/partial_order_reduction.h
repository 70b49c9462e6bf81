// PartialOrderReduction: sleep sets, one step deep. All orders of independent steps lead to the
// same rows in as many steps, so one order is explored. Only transitions are left out: the same
// rows are reached, at the same depth. The argument is in docs/design/0004, "One order".
#pragma once

#include "checker/model.h"

#include <vector>

namespace drydock::checker {

class PartialOrderReduction {
public:
    // `observable`: lost actions are asked about in any order, not resolved before other steps.
    PartialOrderReduction(const Model& model, bool observable);

    // Enables the reduction. `exchanged`: members that are interchangeable at some time; their
    // actions are left alone. `needs_witness`: each row keeps one successor that costs no fault.
    void enable(const std::vector<bool>& exchanged, bool needs_witness);

    // True if the reduction can leave out a step.
    [[nodiscard]] bool is_enabled() const { return enabled_; }

    // Sets the row to expand, and the row that led to it in one step. Null: no step is left out.
    void begin(const Byte* row, const Byte* previous_row);

    // True if this step of the action could have come before the last step, and the last step after
    // it. Then it was explored from the previous row.
    [[nodiscard]] bool begin_explored_earlier(std::size_t action);
    [[nodiscard]] bool end_explored_earlier(std::size_t action);
    [[nodiscard]] bool failure_explored_earlier(std::size_t action) const;
    // The same for the death of the conductor.
    [[nodiscard]] bool crash_explored_earlier() const;

private:
    enum class Step : Byte { unknown, begun, ended, failed };

    [[nodiscard]] bool is_independent(std::size_t action) const;
    [[nodiscard]] bool comes_before(std::size_t action) const;

    const Model& model_;
    bool observable_;
    bool enabled_ = false;
    bool needs_witness_ = false;
    bool witness_kept_ = true;        // a witness was kept
    Step last_ = Step::unknown;       // unknown unless it is of an independent action
    Index last_action_ = 0;           // the action of the last step
    std::vector<Index> independent_;  // by offset in the row: the independent action of this cell
};

}  // namespace drydock::checker
