// EarlySync: makes blobs durable on a thread of its own while more are written, so the sync at the
// end takes little time.
//
//     EarlySync early(blobs); ... early.wrote(bytes); ...; early.finish();
//
// wrote() and finish() belong to one thread. The destructor waits for a sync that is under way.
#pragma once

#include "mover/blocks/data_backend.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace drydock::mover::blocks {

class EarlySync {
public:
    static constexpr std::int64_t k_bytes = std::int64_t{16} << 20;  // of blobs, for one sync

    explicit EarlySync(const DataBackend& blobs);

    void wrote(std::int64_t bytes);
    // Makes all blobs durable that were written before. Returns the error of any sync.
    [[nodiscard]] Status finish();

private:
    void run(const std::stop_token& stop);

    const DataBackend& blobs_;
    std::mutex mutex_;
    std::condition_variable_any has_enough_;
    std::int64_t bytes_ = 0;  // under mutex_: written since the last sync began
    Status failed_;           // of the thread's syncs
    std::jthread thread_;     // the last: it uses all of the above
};

}  // namespace drydock::mover::blocks
