// ByteBudget: how many bytes of objects may be in memory. Pure, and not thread-safe.
//
// Pieces take their share in order of asking, so a piece that waits is never overtaken by a later
// one of the same object. A piece larger than the whole budget gets its share when it is alone.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <utility>

namespace drydock::mover::s3 {

class ByteBudget {
public:
    explicit ByteBudget(std::int64_t bytes_max) : bytes_max_(bytes_max) {}

    ByteBudget(const ByteBudget&) = delete;
    ByteBudget& operator=(const ByteBudget&) = delete;

    // Calls `begin` as soon as these bytes are free, perhaps at once. give_back() must follow.
    void take(std::int64_t bytes, std::function<void()> begin) {
        waiting_.emplace_back(bytes, std::move(begin));
        start_waiting();
    }

    void give_back(std::int64_t bytes) {
        held_ -= bytes;
        start_waiting();
    }

    [[nodiscard]] std::int64_t held() const { return held_; }

private:
    // A piece that fails at once gives back while it begins, so the outer loop goes on with it.
    void start_waiting() {
        if (is_starting_) {
            return;
        }
        is_starting_ = true;
        while (!waiting_.empty() && (held_ == 0 || held_ + waiting_.front().first <= bytes_max_)) {
            held_ += waiting_.front().first;
            const std::function<void()> begin = std::move(waiting_.front().second);
            waiting_.pop_front();
            begin();
        }
        is_starting_ = false;
    }

    std::int64_t bytes_max_;
    std::int64_t held_ = 0;
    bool is_starting_ = false;
    std::deque<std::pair<std::int64_t, std::function<void()>>> waiting_;
};

}  // namespace drydock::mover::s3
