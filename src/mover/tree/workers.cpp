// The stack is one vector under one lock: a task is a folder, some hundred names or a piece of a
// large file, so the lock is taken rarely.
#include "mover/tree/workers.h"

#include "os/descriptors.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <new>

namespace drydock::mover::tree {
namespace {

constexpr std::size_t k_alignment = 4096;  // bytes; of the strictest common device
constexpr std::chrono::milliseconds k_look_again(20);
constexpr double k_idle_share = 0.75;  // of the processors: below it, threads wait for the disk

double processor_seconds() {
    struct rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

WorkerCount within_descriptors(const WorkerCount& wanted) {
    constexpr std::size_t k_enough = 16'384;  // deep trees and the files of each thread
    constexpr std::size_t k_least = 64;
    constexpr std::size_t k_of_a_thread = 64;
    constexpr std::size_t k_of_all = 128;  // levels of folders, the journal
    std::size_t open = k_enough;
    while (open > k_least && !os::reserve_descriptors(open)) {
        open /= 2;
    }
    const std::size_t threads = open > k_of_all ? (open - k_of_all) / k_of_a_thread : 1;
    const std::size_t most = std::clamp<std::size_t>(threads, 1, wanted.most);
    return {std::min(wanted.first, most), most, wanted.piece_bytes};
}

Buffer::Buffer(std::size_t size)
    : size_(size)
    , bytes_(static_cast<char*>(std::aligned_alloc(k_alignment, size))) {
    if (!bytes_) {
        throw std::bad_alloc();
    }
}

void Buffer::Free::operator()(char* bytes) const {
    std::free(bytes);
}

Buffer& Workspace::small() {
    if (!small_) {
        small_ = std::make_unique<Buffer>(piece_bytes_ + k_alignment);
    }
    return *small_;
}

Buffer& Workspace::large() {
    if (!large_) {
        large_ = std::make_unique<Buffer>(k_large_bytes);
    }
    return *large_;
}

Workers::Workers(WorkerCount count) : count_(count) {
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < count_.first; ++i) {
        start_one();
    }
}

Workers::~Workers() {
    cancel();
    finish([](Workspace&) {});
}

// The caller holds the lock.
void Workers::start_one() {
    threads_.emplace_back([this, number = threads_.size()] { run(number); });
    most_threads_ = threads_.size();
}

void Workers::push(Task task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back({std::move(task)});
    }
    wake_.notify_one();
}

// An offer counts as a task that runs until it is settled, or was not taken.
void Workers::push(Task task, Offer offer) {
    retain();
    const Taken taken = taker_ ? taker_(offer) : Taken::never;
    if (taken == Taken::yes) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back({std::move(task)});
        if (taken == Taken::not_now) {
            tasks_.back().offer = std::move(offer);
        }
        --running_;
    }
    wake_.notify_one();
}

bool Workers::offer_oldest() {
    Waiting oldest;
    {
        const std::lock_guard lock(mutex_);
        const auto found = std::find_if(tasks_.begin(), tasks_.end(), [](const Waiting& waiting) {
            return waiting.offer.has_value();
        });
        if (found == tasks_.end()) {
            return false;
        }
        oldest = std::move(*found);
        tasks_.erase(found);
        ++running_;
    }
    const Taken taken = taker_(*oldest.offer);
    if (taken != Taken::yes) {
        if (taken == Taken::never) {
            oldest.offer.reset();
        }
        const std::lock_guard lock(mutex_);
        tasks_.insert(tasks_.begin(), std::move(oldest));
        --running_;
        wake_.notify_one();
    }
    return taken == Taken::yes;
}

void Workers::retain() {
    const std::lock_guard lock(mutex_);
    ++running_;
}

void Workers::settle(Task then) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back({std::move(then)});
        --running_;
    }
    wake_.notify_one();
}

void Workers::cancel() {
    std::vector<Waiting> dropped;  // destroyed behind the lock: what they hold may do work
    const std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
}

std::size_t Workers::most_threads() const {
    const std::lock_guard lock(mutex_);
    return most_threads_;
}

void Workers::run(std::size_t number) {
    Workspace workspace(number, count_.piece_bytes);
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [&] { return !tasks_.empty() || is_over_; });
        if (tasks_.empty()) {
            break;
        }
        Task task = std::move(tasks_.back().task);
        tasks_.pop_back();
        ++running_;
        lock.unlock();
        task(workspace);
        task = nullptr;
        lock.lock();
        if (--running_ == 0 && tasks_.empty()) {
            done_.notify_all();
        }
    }
    lock.unlock();
    idle_(workspace);
}

// Starts one more thread while tasks wait and the processors do not.
void Workers::watch() {
    const double processors = static_cast<double>(std::thread::hardware_concurrency());
    double used = processor_seconds();
    auto then = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!done_.wait_for(lock, k_look_again, [&] { return tasks_.empty() && running_ == 0; })) {
        const double now_used = processor_seconds();
        const auto now = std::chrono::steady_clock::now();
        const double share =
            (now_used - used) / (std::chrono::duration<double>(now - then).count() * processors);
        if (share < k_idle_share && !tasks_.empty() && threads_.size() < count_.most) {
            start_one();
        }
        used = now_used;
        then = now;
    }
}

void Workers::finish(const Task& idle) {
    watch();
    {
        const std::lock_guard lock(mutex_);
        if (is_over_) {
            return;
        }
        idle_ = idle;
        is_over_ = true;
    }
    wake_.notify_all();
    threads_.clear();  // joins
}

}  // namespace drydock::mover::tree
