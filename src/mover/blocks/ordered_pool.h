// OrderedPool: many threads work on jobs, and the caller takes the answers in the order of
// submission.
//
//     OrderedPool<Job, Answer> pool(4, [](const std::vector<Job>& jobs) { ... return answers; },
//                                   [](const Job& job, Answer& answer) { return Status{}; });
//     pool.submit(job, bytes); ...; pool.finish();
//
// `work` runs on the pool's threads, `take` on the caller's. Jobs are handed over in groups: to
// wake a thread costs as much as a small block. At most twice as many groups as threads are in
// flight, so memory is bounded. The destructor drops jobs that have not begun and joins the
// threads.
#pragma once

#include "base/result.h"

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace drydock::mover::blocks {

// The size of groups whose answers contain blocks.
inline constexpr std::int64_t k_small_group_bytes = std::int64_t{2} << 20;
// The size of groups whose blocks are hashed side by side: eight blocks of backy2's 4 MiB. A thread
// keeps so much memory.
inline constexpr std::int64_t k_wide_group_bytes = std::int64_t{32} << 20;

template <class Job, class Answer>
class OrderedPool {
public:
    using Work = std::function<std::vector<Answer>(const std::vector<Job>&)>;  // one for each
    using Take = std::function<Status(const Job&, Answer&)>;

    static constexpr std::size_t k_group_jobs_max = 32;

    // A group is full with `group_bytes` bytes of work.
    OrderedPool(std::size_t workers, std::int64_t group_bytes, Work work, Take take)
        : group_bytes_(group_bytes)
        , work_(std::move(work))
        , take_(std::move(take))
        , in_flight_max_(2 * workers) {
        for (std::size_t i = 0; i < workers; ++i) {
            threads_.emplace_back([this](const std::stop_token& stop) { run(stop); });
        }
    }

    // Adds a job that has to read `bytes` bytes. Waits while too much is in flight. Returns the
    // error of a `take`.
    [[nodiscard]] Status submit(Job job, std::int64_t bytes) {
        if (next_ == nullptr) {
            next_ = std::make_shared<Group>();
        }
        next_->jobs.push_back(std::move(job));
        next_bytes_ += std::clamp<std::int64_t>(bytes, 0, group_bytes_);  // rows say anything
        const bool is_full = next_->jobs.size() >= k_group_jobs_max || next_bytes_ >= group_bytes_;
        return is_full ? send() : Status{};
    }

    // Takes the answers of all jobs that remain.
    [[nodiscard]] Status finish() {
        if (next_ != nullptr) {
            DRYDOCK_TRY(send());
        }
        while (!in_flight_.empty()) {
            DRYDOCK_TRY(take_first());
        }
        return {};
    }

private:
    struct Group {  // shared by the caller and by the thread that works on it
        std::vector<Job> jobs;
        std::vector<Answer> answers;
        bool is_done = false;  // under mutex_
    };

    Status send() {
        while (in_flight_.size() >= in_flight_max_) {
            DRYDOCK_TRY(take_first());
        }
        next_bytes_ = 0;
        in_flight_.push_back(next_);
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(next_));
        has_work_.notify_one();
        return {};
    }

    Status take_first() {
        const std::shared_ptr<Group> group = in_flight_.front();
        in_flight_.pop_front();
        {
            std::unique_lock lock(mutex_);
            has_answer_.wait(lock, [&] { return group->is_done; });
        }
        for (std::size_t i = 0; i < group->jobs.size(); ++i) {
            DRYDOCK_TRY(take_(group->jobs[i], group->answers[i]));
        }
        return {};
    }

    void run(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (has_work_.wait(lock, stop, [this] { return !waiting_.empty(); })
               && !stop.stop_requested()) {
            const std::shared_ptr<Group> group = waiting_.front();
            waiting_.pop_front();
            lock.unlock();
            group->answers = work_(group->jobs);
            lock.lock();
            group->is_done = true;
            has_answer_.notify_all();
        }
    }

    std::int64_t group_bytes_;
    Work work_;
    Take take_;
    std::size_t in_flight_max_;
    std::shared_ptr<Group> next_;  // the caller's: being filled
    std::int64_t next_bytes_ = 0;
    std::deque<std::shared_ptr<Group>> in_flight_;  // the caller's
    std::mutex mutex_;
    std::condition_variable_any has_work_;
    std::condition_variable has_answer_;
    std::deque<std::shared_ptr<Group>> waiting_;  // under mutex_
    std::vector<std::jthread> threads_;           // the last: they use all of the above
};

// Makes the work on a group from the work on one job.
template <class Job, class Answer>
std::function<std::vector<Answer>(const std::vector<Job>&)>
one_by_one(std::function<Answer(const Job&)> work) {
    return [work = std::move(work)](const std::vector<Job>& jobs) {
        std::vector<Answer> answers;
        answers.reserve(jobs.size());
        for (const Job& job : jobs) {
            answers.push_back(work(job));
        }
        return answers;
    };
}

}  // namespace drydock::mover::blocks
