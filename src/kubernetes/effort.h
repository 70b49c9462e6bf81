// Effort: how long something may take, and whom it asks whether to go on.
//
// Everything here that asks more than once asks until the effort ends. Times are monotonic.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::kubernetes {

// What is waited for, in words for people.
struct Wait {
    std::string subject;       // "the server to free node port 30649"
    std::string remedy;        // what a person can do
    std::int64_t left_ms = 0;  // until it is given up
};

class Effort {
public:
    // `is_cancelled` is asked between requests and while waiting; `tell` takes lines for people.
    // `report_wait` is called when a wait begins, and with nothing when it is over.
    explicit Effort(
        std::int64_t timeout_ms,
        std::function<bool()> is_cancelled = [] { return false; },
        std::function<void(std::string_view)> tell = [](std::string_view) {},
        std::function<void(const std::optional<Wait>&)> report_wait =
            [](const std::optional<Wait>&) {});

    // Milliseconds; at least 1, so that a request that is due is still sent.
    [[nodiscard]] std::int64_t left_ms() const;
    // The time for one request: what is left, up to the longest time that a server takes.
    [[nodiscard]] std::int64_t request_ms() const;
    [[nodiscard]] bool is_over() const;
    // Waits, but not beyond the end. Returns false once the effort is over or cancelled.
    [[nodiscard]] bool pause(std::int64_t pause_ms) const;
    void tell(std::string_view line) const;
    void report_wait(const std::optional<Wait>& wait) const;

private:
    std::int64_t end_ms_;
    std::function<bool()> is_cancelled_;
    std::function<void(std::string_view)> tell_;
    std::function<void(const std::optional<Wait>&)> report_wait_;
};

}  // namespace drydock::kubernetes
