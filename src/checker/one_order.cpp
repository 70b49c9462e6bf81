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
Place first_difference(const Byte* one, const Byte* other, Place used) {
    static_assert(k_spent >= sizeof(std::uint64_t));
    for (Place at = 0; at < used; at += sizeof(std::uint64_t)) {
        std::uint64_t mine = 0;
        std::uint64_t theirs = 0;
        std::memcpy(&mine, one + at, sizeof mine);
        std::memcpy(&theirs, other + at, sizeof theirs);
        if (mine != theirs) {
            const auto found = at + static_cast<Place>(std::countr_zero(mine ^ theirs) / 8);
            return found < used ? found : k_nowhere;
        }
    }
    return k_nowhere;
}

}  // namespace

OneOrder::OneOrder(const Site& site, bool asked)
    : site_(site)
    , asked_(asked)
    , apart_(site.size, k_none) {
}

void OneOrder::keep(const std::vector<bool>& exchanged, bool way_on) {
    way_on_ = way_on;
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
void OneOrder::begin(const Byte* row, const Byte* before) {
    last_ = Step::unknown;
    spared_ = !way_on_;
    const Place at = before == nullptr ? k_nowhere : first_difference(row, before, site_.used);
    if (at == k_nowhere || apart_[at] == k_none
        || std::memcmp(row + at + 1, before + at + 1, site_.used - at - 1) != 0) {
        return;
    }
    last_action_ = apart_[at];
    const auto from = static_cast<Status>(site_.status(before, last_action_));
    const auto to = static_cast<Status>(site_.status(row, last_action_));
    if (from == Status::waiting && to == Status::intended) {
        last_ = Step::begun;
    } else if ((from == Status::intended || (from == Status::lost && asked_)) && is_answered(to)) {
        const Place failures = site_.used + static_cast<Place>(Fault::failure);
        last_ = row[failures] == before[failures] ? Step::ended : Step::failed;
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
