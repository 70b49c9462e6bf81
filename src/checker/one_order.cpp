// Sleep sets, one step deep, without storing a set: the last step is read off the row and its
// parent, which differ in one cell.
//
// The fixed order of steps is: the death of the conductor, then begins and ends in the plan's
// order, then failures. A step is left out if it precedes the last step in this order and commutes
// with it. Then the other order was explored from the parent, or an even earlier one was;
// docs/design/0004, "One order", has the induction.
#include "checker/one_order.h"

#include <bit>
#include <cstring>
#include <utility>

namespace drydock::checker {

namespace {

using run::Status;

constexpr std::uint32_t k_none = 0xFFFFFFFFU;

// The statuses after an answer: the action succeeded, waits for another attempt, or failed.
bool is_answered(Status status) {
    return status == Status::done || status == Status::waiting || status == Status::failed;
}

// Returns the first offset at which the rows differ, fault usage aside; k_no_offset: none. Reads
// whole words: the fault usage at the end of a row makes that safe.
Place first_difference(const Byte* row, const Byte* previous_row, Place used) {
    static_assert(k_spent >= sizeof(std::uint64_t));
    for (Place offset = 0; offset < used; offset += sizeof(std::uint64_t)) {
        std::uint64_t row_word = 0;
        std::uint64_t previous_word = 0;
        std::memcpy(&row_word, row + offset, sizeof row_word);
        std::memcpy(&previous_word, previous_row + offset, sizeof previous_word);
        if (row_word != previous_word) {
            const auto difference =
                offset + static_cast<Place>(std::countr_zero(row_word ^ previous_word) / 8);
            return difference < used ? difference : k_nowhere;
        }
    }
    return k_nowhere;
}

}  // namespace

OneOrder::OneOrder(const Site& site, bool observable)
    : site_(site)
    , asked_(observable)
    , apart_(site.size, k_none) {
}

// One independent action has no partner to commute with, so two are needed.
void OneOrder::keep(const std::vector<bool>& exchanged, bool needs_witness) {
    way_on_ = needs_witness;
    std::size_t count = 0;
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        const int member = site_.acts[i].member;
        const bool stays = member < 0 || !exchanged[static_cast<std::size_t>(member)];
        if (site_.acts[i].apart && stays) {
            apart_[site_.cells[i]] = static_cast<std::uint32_t>(i);
            ++count;
        }
    }
    kept_ = count > 1;
}

// Recognises the last step if the rows differ in the cell of one independent action alone, fault
// usage aside. A higher usage of the failure budget distinguishes a failure from a success.
void OneOrder::begin(const Byte* row, const Byte* previous_row) {
    last_ = Step::unknown;
    spared_ = !way_on_;
    const Place offset =
        previous_row == nullptr ? k_nowhere : first_difference(row, previous_row, site_.used);
    if (offset == k_nowhere || apart_[offset] == k_none
        || std::memcmp(row + offset + 1, previous_row + offset + 1, site_.used - offset - 1) != 0) {
        return;
    }
    last_action_ = apart_[offset];
    const auto old_status = static_cast<Status>(site_.status(previous_row, last_action_));
    const auto new_status = static_cast<Status>(site_.status(row, last_action_));
    if (old_status == Status::waiting && new_status == Status::intended) {
        last_ = Step::begun;
    } else if ((old_status == Status::intended || (old_status == Status::lost && asked_))
               && is_answered(new_status)) {
        const Place failures = site_.used + static_cast<Place>(Fault::failure);
        last_ = row[failures] == previous_row[failures] ? Step::ended : Step::failed;
    }
}

bool OneOrder::is_apart(std::size_t action) const {
    return apart_[site_.cells[action]] != k_none;
}

// True if the action precedes the last step's action in the plan and is independent, too.
bool OneOrder::comes_before(std::size_t action) const {
    return action < last_action_ && is_apart(action);
}

// The first step that could be left out is kept if the row needs a witness: a successor that costs
// no fault.
bool OneOrder::begin_is_told(std::size_t action) {
    return last_ != Step::unknown && comes_before(action) && std::exchange(spared_, true);
}

// Failures come last in the fixed order. So an end after a failure is left out wherever its action
// stands in the plan.
bool OneOrder::end_is_told(std::size_t action) {
    const bool failed_first = last_ == Step::failed && is_apart(action);
    return failed_first ? std::exchange(spared_, true) : begin_is_told(action);
}

bool OneOrder::failure_is_told(std::size_t action) const {
    return last_ == Step::failed && comes_before(action);
}

// An end before a death could as well come after it: the action is lost with the conductor, and the
// agent, asked, reports the same end.
bool OneOrder::death_is_told() const {
    return (last_ == Step::ended || last_ == Step::failed) && asked_;
}

}  // namespace drydock::checker
