// Readings are kept at least a hundredth of the window apart, so their number is bounded.
#include "base/rate_meter.h"

namespace drydock {

namespace {

constexpr std::int64_t k_readings_per_window = 100;
constexpr std::int64_t k_span_ms_min = 1'000;  // of two readings that tell a rate

}  // namespace

// The last reading is replaced while it is close to the one before it. The first reading that is
// kept lies just outside of the window, so the window is always covered.
void RateMeter::add(std::int64_t now_ms, double amount) {
    if (!readings_.empty() && amount < readings_.back().amount) {
        readings_.clear();
    }
    const std::int64_t step_ms = window_ms_ / k_readings_per_window;
    const std::size_t count = readings_.size();
    if (count >= 2 && readings_[count - 1].at_ms - readings_[count - 2].at_ms < step_ms) {
        readings_.back() = {now_ms, amount};
    } else {
        readings_.push_back({now_ms, amount});
    }
    while (readings_.size() > 2 && readings_[1].at_ms <= now_ms - window_ms_) {
        readings_.pop_front();
    }
}

std::optional<double> RateMeter::rate() const {
    if (readings_.size() < 2) {
        return std::nullopt;
    }
    const std::int64_t span_ms = readings_.back().at_ms - readings_.front().at_ms;
    if (span_ms < k_span_ms_min) {
        return std::nullopt;
    }
    return (readings_.back().amount - readings_.front().amount) * 1000
           / static_cast<double>(span_ms);
}

}  // namespace drydock
