// The clocks of the kernel. CLOCK_BOOTTIME continues while the machine sleeps, unlike steady_clock.
#include "os/clock.h"

#include <chrono>
#include <ctime>

namespace drydock::os {

std::int64_t RealClock::wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::int64_t RealClock::monotonic_ms() {
    timespec now = {};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace drydock::os
