// The threads of the probe pool: when they start, when they count as lost, and how the pool
// closes.
//
// A thread cannot be ended from outside. So threads are detached, share ownership of the pool, and
// are only counted: busy beyond its deadline means lost. A lost thread that comes back finds a
// replacement at work and ends itself. close() waits for all but the lost threads.
#include "agent/probe_pool.h"

#include "os/clock.h"

#include <algorithm>
#include <chrono>
#include <system_error>
#include <thread>

namespace drydock::agent {
namespace {

constexpr auto k_close_poll = std::chrono::milliseconds(50);

}  // namespace

std::size_t ProbePool::count_lost(std::int64_t now_ms) const {
    return static_cast<std::size_t>(
        std::count_if(workers_.begin(), workers_.end(), [now_ms](const auto& worker) {
            return worker->busy && now_ms > worker->deadline_ms;
        }));
}

std::size_t ProbePool::count_idle() const {
    return static_cast<std::size_t>(std::count_if(
        workers_.begin(), workers_.end(), [](const auto& worker) { return !worker->busy; }));
}

// True if a lost thread came back after another one has taken its place.
bool ProbePool::is_surplus(std::int64_t now_ms) const {
    const auto ended = static_cast<std::size_t>(std::count_if(
        workers_.begin(), workers_.end(), [](const auto& worker) { return worker->ended; }));
    return workers_.size() - ended - count_lost(now_ms) > k_probe_threads_max;
}

// Starts threads until each waiting job has an idle one, within the limits. Must be called under
// the mutex.
void ProbePool::start_workers(std::int64_t now_ms) {
    std::erase_if(workers_, [](const auto& worker) { return worker->ended; });
    const auto replaced = std::min(count_lost(now_ms), k_lost_threads_max);
    auto idle = count_idle();
    while (idle < jobs_.size() && workers_.size() < k_probe_threads_max + replaced) {
        auto worker = std::make_shared<Worker>();
        try {
            std::thread([pool = shared_from_this(), worker] { pool->work(*worker); }).detach();
        } catch (const std::system_error&) {
            return;  // the jobs wait for the threads there are
        }
        workers_.push_back(std::move(worker));
        ++idle;
    }
}

void ProbePool::add(Job job) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    start_workers(os::RealClock().monotonic_ms());
    changed_.notify_one();
}

void ProbePool::replace_lost(std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    start_workers(now_ms);
}

std::size_t ProbePool::lost_threads(std::int64_t now_ms) {
    const std::lock_guard lock(mutex_);
    return count_lost(now_ms);
}

// Runs jobs until the pool closes. The job's function is destroyed before the lock is taken: it
// may own the last reference to a set of answers.
void ProbePool::work(Worker& worker) {
    os::RealClock clock;
    std::unique_lock lock(mutex_);
    while (!closed_ && !is_surplus(clock.monotonic_ms())) {
        if (jobs_.empty()) {
            changed_.wait(lock);
            continue;
        }
        auto job = std::move(jobs_.front());
        jobs_.pop_front();
        worker.busy = true;
        worker.deadline_ms = job.deadline_ms;
        lock.unlock();
        job.run();
        job.run = nullptr;
        lock.lock();
        worker.busy = false;
        if (on_result_) {
            on_result_();
        }
    }
    worker.ended = true;
    changed_.notify_all();
}

void ProbePool::close() {
    os::RealClock clock;
    std::unique_lock lock(mutex_);
    closed_ = true;
    jobs_.clear();
    on_result_ = nullptr;
    changed_.notify_all();
    const auto has_ended = [&](const auto& worker) {
        return worker->ended || (worker->busy && clock.monotonic_ms() > worker->deadline_ms);
    };
    while (!std::all_of(workers_.begin(), workers_.end(), has_ended)) {
        changed_.wait_for(lock, k_close_poll);
    }
}

}  // namespace drydock::agent
