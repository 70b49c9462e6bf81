// A thread that syncs the filesystem whenever enough bytes have been written.
//
// Only the last sync counts for durability. The early ones let the disk work while the processor
// encrypts, so the last one finds little to write. An error of an early sync must be kept: the
// kernel reports a failed write-back to one sync only, and the last sync would succeed.
#include "mover/blocks/early_sync.h"

namespace drydock::mover::blocks {

EarlySync::EarlySync(const DataBackend& blobs)
    : blobs_(blobs)
    , thread_([this](const std::stop_token& stop) { run(stop); }) {
}

void EarlySync::wrote(std::int64_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    if (bytes_ >= k_bytes) {
        has_enough_.notify_one();
    }
}

void EarlySync::run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (has_enough_.wait(lock, stop, [this] { return bytes_ >= k_bytes; })
           && !stop.stop_requested()) {
        bytes_ = 0;
        lock.unlock();
        Status status = blobs_.sync();
        lock.lock();
        // The kernel reports an error of the disk to one sync only.
        failed_ = failed_ ? std::move(status) : failed_;
    }
}

Status EarlySync::finish() {
    thread_.request_stop();
    thread_.join();
    DRYDOCK_TRY(failed_);
    return blobs_.sync();
}

}  // namespace drydock::mover::blocks
