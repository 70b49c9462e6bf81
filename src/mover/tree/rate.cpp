// Each caller takes a stretch of time behind those of all who came before. So the limit holds for
// all threads together, and nobody saves up time in which nothing was moved.
#include "mover/tree/rate.h"

#include <algorithm>
#include <thread>

namespace drydock::mover::tree {

void RateLimit::wait_for(std::int64_t bytes, const std::function<bool()>& is_over) {
    using Clock = std::chrono::steady_clock;
    constexpr Clock::duration k_slice = std::chrono::milliseconds(100);
    if (bytes_per_second_ == 0) {
        return;
    }
    const std::chrono::duration<double> needed(static_cast<double>(bytes)
                                               / static_cast<double>(bytes_per_second_));
    Clock::time_point begin;
    {
        const std::lock_guard lock(mutex_);
        begin = std::max(free_at_, Clock::now());
        free_at_ = begin + std::chrono::duration_cast<Clock::duration>(needed);
    }
    for (auto now = Clock::now(); now < begin && !is_over(); now = Clock::now()) {
        std::this_thread::sleep_for(std::min(begin - now, k_slice));
    }
}

}  // namespace drydock::mover::tree
