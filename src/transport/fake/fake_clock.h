// FakeClock: time that moves only during a wait.
//
// FakeTransport::wait() advances it to the next event, so that hours pass in microseconds and every
// run of one seed sees the same times. The wall clock can jump, as real ones do; the monotonic
// clock cannot. Not thread-safe: a simulation has one thread.
#pragma once

#include "os/clock.h"

#include <algorithm>

namespace drydock::transport {

class FakeClock final : public os::Clock {
public:
    static constexpr std::int64_t k_start_wall_ms = 1'800'000'000'000;

    [[nodiscard]] std::int64_t wall_ms() override { return wall_ms_; }

    [[nodiscard]] std::int64_t monotonic_ms() override { return monotonic_ms_; }

    // Does nothing if that time is past.
    void advance_to(std::int64_t monotonic_ms) {
        const std::int64_t step = std::max<std::int64_t>(monotonic_ms - monotonic_ms_, 0);
        monotonic_ms_ += step;
        wall_ms_ += step;
    }

    void jump_wall(std::int64_t ms) { wall_ms_ += ms; }

private:
    std::int64_t monotonic_ms_ = 1;
    std::int64_t wall_ms_ = k_start_wall_ms;
};

// StoppingClock: the clock of a machine that may be suspended, over the clock of all others. Its
// monotonic time falls behind by the time that it was stopped.
class StoppingClock final : public os::Clock {
public:
    explicit StoppingClock(FakeClock& inner) : inner_(inner) {}

    [[nodiscard]] std::int64_t wall_ms() override { return inner_.wall_ms(); }

    [[nodiscard]] std::int64_t monotonic_ms() override {
        return inner_.monotonic_ms() - stopped_ms_;
    }

    // Says that `ms` have passed while it was stopped.
    void add_stopped_time(std::int64_t ms) { stopped_ms_ += ms; }

private:
    FakeClock& inner_;
    std::int64_t stopped_ms_ = 0;
};

}  // namespace drydock::transport
