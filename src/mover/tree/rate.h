// A limit on the bytes that all threads of a copy move in a second. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>

namespace drydock::mover::tree {

class RateLimit {
public:
    // 0: no limit.
    explicit RateLimit(std::uint64_t bytes_per_second) : bytes_per_second_(bytes_per_second) {}

    // Waits until these bytes may be moved, or until `is_over`, which is asked often.
    void wait_for(std::int64_t bytes, const std::function<bool()>& is_over);

private:
    std::uint64_t bytes_per_second_;
    std::mutex mutex_;
    std::chrono::steady_clock::time_point free_at_;
};

}  // namespace drydock::mover::tree
