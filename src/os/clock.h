// Clock: the time, passed in, so that tests and the simulator can hold it.
//
// Wall time is for people and records and may jump; only monotonic time measures how long something
// took. The real monotonic clock also counts while the machine is suspended (CLOCK_BOOTTIME): a
// fact that was read before is old afterwards. Implementations are thread-safe.
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
