// ProbePool: threads that run probes, some of which may never return.
//
// A thread whose job is over its deadline is lost: nothing can end it, and it counts no more. Other
// threads take its place, up to a limit; beyond it jobs wait in the queue until their deadline.
// Thread-safe.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace drydock::agent {

inline constexpr std::size_t k_probe_threads_max = 16;  // probes mostly wait
inline constexpr std::size_t k_lost_threads_max = 16;   // the number that is replaced

class ProbePool : public std::enable_shared_from_this<ProbePool> {
public:
    struct Job {
        std::function<void()> run;
        std::int64_t deadline_ms = 0;  // monotonic
    };

    // Calls `woken` after each job.
    explicit ProbePool(std::function<void()> woken) : on_result_(std::move(woken)) {}

    void add(Job job);
    // Replaces threads that were lost since the last call, if jobs wait for one.
    void replace_lost(std::int64_t now_ms);
    // Returns how many threads are over the deadline of their job.
    [[nodiscard]] std::size_t lost_threads(std::int64_t now_ms);
    // Drops the jobs that wait, and returns when all threads but the lost ones have ended.
    void close();

private:
    struct Worker {
        bool busy = false;
        bool ended = false;
        std::int64_t deadline_ms = 0;  // of its job
    };

    void start_workers(std::int64_t now_ms);
    [[nodiscard]] std::size_t count_lost(std::int64_t now_ms) const;
    [[nodiscard]] std::size_t count_idle() const;
    [[nodiscard]] bool is_surplus(std::int64_t now_ms) const;
    void work(Worker& worker);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    std::vector<std::shared_ptr<Worker>> workers_;  // shared with its thread, which is detached
    std::function<void()> on_result_;               // empty once closed
    bool closed_ = false;
};

}  // namespace drydock::agent
