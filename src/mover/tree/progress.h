// ProgressReporter: tells how far a walk has come, a few times a second, from a thread of its own.
#pragma once

#include "mover/tree/copy.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace drydock::mover::tree {

// Tells the progress until it is destroyed.
class ProgressReporter {
public:
    ProgressReporter(const std::function<void(const Progress&)>& progressed,
                     const std::function<Progress()>& progress) {
        if (progressed) {
            thread_ = std::jthread([&progressed, progress, this](const std::stop_token& stop) {
                std::unique_lock lock(mutex_);
                while (!wake_.wait_for(lock, stop, k_interval, [] { return false; })
                       && !stop.stop_requested()) {
                    progressed(progress());
                }
                progressed(progress());
            });
        }
    }

private:
    static constexpr std::chrono::milliseconds k_interval{250};

    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::jthread thread_;
};

}  // namespace drydock::mover::tree
