// Clock: the time as an argument, so that tests and the simulator can control it.
//
// Wall time is for people and records, and it may jump. Only monotonic time measures durations. The
// real monotonic clock is CLOCK_BOOTTIME, which counts while the machine is suspended: a fact that
// was read before the suspension is old after it. Implementations are thread-safe.
#pragma once

#include <cstdint>

namespace drydock::os {

class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual std::int64_t wall_ms() = 0;  // milliseconds since 1970, UTC
    [[nodiscard]] virtual std::int64_t monotonic_ms() = 0;
};

class RealClock final : public Clock {
public:
    [[nodiscard]] std::int64_t wall_ms() override;
    [[nodiscard]] std::int64_t monotonic_ms() override;
};

}  // namespace drydock::os
