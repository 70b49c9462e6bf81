// Effort: how long something may take, and whom it asks whether to go on.
//
// Everything here that asks more than once asks until the effort ends. Times are monotonic.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace drydock::kubernetes {

class Effort {
public:
    // `is_cancelled` is asked between requests and while waiting; `tell` takes lines for people.
    explicit Effort(
        std::int64_t timeout_ms,
        std::function<bool()> is_cancelled = [] { return false; },
        std::function<void(std::string_view)> tell = [](std::string_view) {});

    // Milliseconds; at least 1, so that a request that is due is still sent.
    [[nodiscard]] std::int64_t left_ms() const;
    // The time for one request: what is left, up to the longest time that a server takes.
    [[nodiscard]] std::int64_t request_ms() const;
    [[nodiscard]] bool is_over() const;
    // Waits, but not beyond the end. Returns false once the effort is over or cancelled.
    [[nodiscard]] bool pause(std::int64_t pause_ms) const;
    void tell(std::string_view line) const;

private:
    std::int64_t end_ms_;
    std::function<bool()> is_cancelled_;
    std::function<void(std::string_view)> tell_;
};

}  // namespace drydock::kubernetes
