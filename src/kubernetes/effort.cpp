// Deadlines, and pauses that end early when somebody cancels.
#include "kubernetes/effort.h"

#include "os/clock.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace drydock::kubernetes {
namespace {

// An API server without its etcd answers 504 after 34 s.
constexpr std::int64_t k_request_ms_max = 40'000;
constexpr std::int64_t k_look_ms = 50;  // between two looks whether somebody cancelled

std::int64_t now_ms() {
    return os::RealClock().monotonic_ms();
}

}  // namespace

Effort::Effort(std::int64_t timeout_ms,
               std::function<bool()> is_cancelled,
               std::function<void(std::string_view)> tell,
               std::function<void(const std::optional<Wait>&)> report_wait)
    : end_ms_(now_ms() + timeout_ms)
    , is_cancelled_(std::move(is_cancelled))
    , tell_(std::move(tell))
    , report_wait_(std::move(report_wait)) {
}

std::int64_t Effort::left_ms() const {
    return std::max<std::int64_t>(end_ms_ - now_ms(), 1);
}

std::int64_t Effort::request_ms() const {
    return std::min(left_ms(), k_request_ms_max);
}

bool Effort::is_over() const {
    return now_ms() >= end_ms_ || is_cancelled_();
}

bool Effort::pause(std::int64_t pause_ms) const {
    const std::int64_t until_ms = now_ms() + std::min(pause_ms, left_ms());
    while (now_ms() < until_ms && !is_over()) {
        std::this_thread::sleep_for(
            std::chrono::milliseconds(std::clamp<std::int64_t>(until_ms - now_ms(), 1, k_look_ms)));
    }
    return !is_over();
}

void Effort::tell(std::string_view line) const {
    tell_(line);
}

void Effort::report_wait(const std::optional<Wait>& wait) const {
    report_wait_(wait);
}

}  // namespace drydock::kubernetes
