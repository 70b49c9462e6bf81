// OrderedPool: work done by many threads, whose answers are taken in the order of submission.
//
//     OrderedPool<Job, Answer> pool(4, [](const Job& job) { ... return answer; },
//                                   [](const Job& job, Answer& answer) { return Status{}; });
//     pool.submit(job); ...; pool.finish();
//
// `work` runs on the pool's threads, `take` on the caller's. At most twice as many jobs as threads
// are in flight, so memory is bounded. The destructor drops what has not begun and joins.
#pragma once

#include "base/result.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace drydock::mover::blocks {

template <class Job, class Answer>
class OrderedPool {
public:
    using Work = std::function<Answer(const Job&)>;
    using Take = std::function<Status(const Job&, Answer&)>;

    OrderedPool(std::size_t workers, Work work, Take take)
        : work_(std::move(work))
        , take_(std::move(take))
        , in_flight_max_(2 * workers) {
        for (std::size_t i = 0; i < workers; ++i) {
            threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
        }
    }

    // Waits while too much is in flight. Answers the error of a `take`.
    [[nodiscard]] Status submit(Job job) {
        while (in_flight_.size() >= in_flight_max_) {
            DRYDOCK_TRY(take_first());
        }
        auto slot = std::make_shared<Slot>(Slot{std::move(job), std::nullopt});
        in_flight_.push_back(slot);
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(slot));
        has_work_.notify_one();
        return {};
    }

    // Takes all answers that are left.
    [[nodiscard]] Status finish() {
        while (!in_flight_.empty()) {
            DRYDOCK_TRY(take_first());
        }
        return {};
    }

private:
    struct Slot {  // shared by the caller and by the thread that works on it
        Job job;
        std::optional<Answer> answer;
    };

    Status take_first() {
        const std::shared_ptr<Slot> slot = in_flight_.front();
        in_flight_.pop_front();
        {
            std::unique_lock lock(mutex_);
            has_answer_.wait(lock, [&] { return slot->answer.has_value(); });
        }
        return take_(slot->job, *slot->answer);
    }

    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (has_work_.wait(lock, stop, [this] { return !waiting_.empty(); })
               && !stop.stop_requested()) {
            const std::shared_ptr<Slot> slot = waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            Answer answer = work_(slot->job);
            lock.lock();
            slot->answer.emplace(std::move(answer));
            has_answer_.notify_all();
        }
    }

    Work work_;
    Take take_;
    std::size_t in_flight_max_;
    std::deque<std::shared_ptr<Slot>> in_flight_;  // the caller's
    std::mutex mutex_;
    std::condition_variable_any has_work_;
    std::condition_variable has_answer_;
    std::deque<std::shared_ptr<Slot>> waiting_;  // under mutex_
    std::vector<std::jthread> threads_;          // the last: they use all of the above
};

}  // namespace drydock::mover::blocks
