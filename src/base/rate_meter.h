// RateMeter: the recent rate of an amount that grows, such as the bytes of a copy.
//
// The mean since the start misleads where the first part was quick: a resumed copy passes over what
// is there already. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace drydock {

class RateMeter {
public:
    // The rate is that of the last `window_ms`.
    explicit RateMeter(std::int64_t window_ms) : window_ms_(window_ms) {}

    // Adds a reading of the amount. One that is below the reading before begins anew.
    void add(std::int64_t now_ms, double amount);

    // Returns the growth per second; nothing while the readings lie less than a second apart.
    [[nodiscard]] std::optional<double> rate() const;

private:
    struct Reading {
        std::int64_t at_ms = 0;
        double amount = 0;
    };

    std::int64_t window_ms_;
    std::deque<Reading>
        readings_;  // the last one is replaced until it is a step behind its neighbour
};

}  // namespace drydock
