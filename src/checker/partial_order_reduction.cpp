// Sleep sets, one step deep, without storing a set: the last step is read off the row and its
// parent, which differ in one cell.
//
// The fixed order of steps is: the death of the conductor, then begins and ends in the plan's
// order, then failures. A step is left out if it precedes the last step in this order and commutes
// with it. Then the other order was explored from the parent, or an even earlier one was;
// docs/design/0004, "One order", has the induction.
#include "checker/partial_order_reduction.h"

#include <bit>
#include <cstring>
#include <utility>

namespace drydock::checker {

namespace {

using run::Status;

// The statuses after an answer: the action succeeded, waits for another attempt, or failed.
bool is_answered(Status status) {
    return status == Status::done || status == Status::waiting || status == Status::failed;
}

// Returns the number of zero bytes at the front of the word, as it lies in memory.
Offset zero_bytes(std::uint64_t word) {
    return static_cast<Offset>(std::countr_zero(word) / 8);
}

// Returns the first offset at which the rows differ, fault usage aside; k_no_offset: none. Reads
// whole words: the fault usage at the end of a row makes that safe.
Offset first_difference(const Byte* row, const Byte* previous_row, Offset used) {
    static_assert(k_fault_usage_size >= sizeof(std::uint64_t));
    for (Offset offset = 0; offset < used; offset += sizeof(std::uint64_t)) {
        std::uint64_t row_word = 0;
        std::uint64_t previous_word = 0;
        std::memcpy(&row_word, row + offset, sizeof row_word);
        std::memcpy(&previous_word, previous_row + offset, sizeof previous_word);
        if (row_word != previous_word) {
            const Offset difference = offset + zero_bytes(row_word ^ previous_word);
            return difference < used ? difference : k_no_offset;
        }
    }
    return k_no_offset;
}

}  // namespace

PartialOrderReduction::PartialOrderReduction(const Model& model, bool observable)
    : model_(model)
    , observable_(observable)
    , independent_(model.size, k_no_index) {
}

// One independent action has no partner to commute with, so two are needed.
void PartialOrderReduction::enable(const std::vector<bool>& exchanged, bool needs_witness) {
    needs_witness_ = needs_witness;
    std::size_t count = 0;
    for (std::size_t i = 0; i < model_.actions.size(); ++i) {
        const Index member = model_.actions[i].member;
        const bool stays = member == k_no_index || !exchanged[member];
        if (model_.actions[i].independent && stays) {
            independent_[model_.cells[i]] = i;
            ++count;
        }
    }
    enabled_ = count > 1;
}

// Recognises the last step if the rows differ in the cell of one independent action alone, fault
// usage aside. A higher usage of the failure budget distinguishes a failure from a success.
void PartialOrderReduction::begin(const Byte* row, const Byte* previous_row) {
    last_ = Step::unknown;
    witness_kept_ = !needs_witness_;
    const Offset offset = previous_row == nullptr
                              ? k_no_offset
                              : first_difference(row, previous_row, model_.fault_usage);
    if (offset == k_no_offset || independent_[offset] == k_no_index
        || std::memcmp(row + offset + 1, previous_row + offset + 1, model_.fault_usage - offset - 1)
               != 0) {
        return;
    }
    last_action_ = independent_[offset];
    const auto old_status = model_.status(previous_row, last_action_);
    const auto new_status = model_.status(row, last_action_);
    if (old_status == Status::waiting && new_status == Status::intended) {
        last_ = Step::begun;
    } else if ((old_status == Status::intended || (old_status == Status::lost && observable_))
               && is_answered(new_status)) {
        const bool costs_failure = model_.fault_usage_of(row, Fault::failure)
                                   != model_.fault_usage_of(previous_row, Fault::failure);
        last_ = costs_failure ? Step::failed : Step::ended;
    }
}

bool PartialOrderReduction::is_independent(std::size_t action) const {
    return independent_[model_.cells[action]] != k_no_index;
}

// True if the action precedes the last step's action in the plan and is independent, too.
bool PartialOrderReduction::comes_before(std::size_t action) const {
    return action < last_action_ && is_independent(action);
}

// The first step that could be left out is kept if the row needs a witness: a successor that costs
// no fault.
bool PartialOrderReduction::begin_explored_earlier(std::size_t action) {
    return last_ != Step::unknown && comes_before(action) && std::exchange(witness_kept_, true);
}

// Failures come last in the fixed order. So an end after a failure is left out wherever its action
// stands in the plan.
bool PartialOrderReduction::end_explored_earlier(std::size_t action) {
    const bool failed_first = last_ == Step::failed && is_independent(action);
    return failed_first ? std::exchange(witness_kept_, true) : begin_explored_earlier(action);
}

bool PartialOrderReduction::failure_explored_earlier(std::size_t action) const {
    return last_ == Step::failed && comes_before(action);
}

// An end before a death could as well come after it: the action is lost with the conductor, and the
// agent, asked, reports the same end.
bool PartialOrderReduction::crash_explored_earlier() const {
    return (last_ == Step::ended || last_ == Step::failed) && observable_;
}

}  // namespace drydock::checker
