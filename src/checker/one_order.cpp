#include "checker/one_order.h"

#include <bit>
#include <cstring>
#include <utility>

namespace drydock::checker {

namespace {

using run::Status;

constexpr std::uint32_t k_none = 0xFFFFFFFFU;

bool is_answered(Status status) {
    return status == Status::done || status == Status::waiting || status == Status::failed;
}

// In the bytes before what was spent; k_nowhere: none.
Place first_difference(const Byte* left, const Byte* right, Place used) {
    static_assert(k_spent >= sizeof(std::uint64_t));
    for (Place offset = 0; offset < used; offset += sizeof(std::uint64_t)) {
        std::uint64_t left_word = 0;
        std::uint64_t right_word = 0;
        std::memcpy(&left_word, left + offset, sizeof left_word);
        std::memcpy(&right_word, right + offset, sizeof right_word);
        if (left_word != right_word) {
            const auto difference =
                offset + static_cast<Place>(std::countr_zero(left_word ^ right_word) / 8);
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

// The rows tell it, if they differ in one action's cell alone, and in what was spent.
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

// Of two orders, the one in which actions come as the plan has them, those that fail last.
bool OneOrder::comes_before(std::size_t action) const {
    return action < last_action_ && is_apart(action);
}

bool OneOrder::begin_is_told(std::size_t action) {
    return last_ != Step::unknown && comes_before(action) && std::exchange(spared_, true);
}

bool OneOrder::end_is_told(std::size_t action) {
    const bool failed_first = last_ == Step::failed && is_apart(action);
    return failed_first ? std::exchange(spared_, true) : begin_is_told(action);
}

bool OneOrder::failure_is_told(std::size_t action) const {
    return last_ == Step::failed && comes_before(action);
}

// What has ended could as well have been lost with the conductor, and been found to have ended so.
bool OneOrder::death_is_told() const {
    return (last_ == Step::ended || last_ == Step::failed) && asked_;
}

}  // namespace drydock::checker
