// The end of children whose conversation is closed: wait, then SIGTERM, then SIGKILL.
//
// The steps are taken by poll(), which each later call of the transport makes, so no call waits
// for a child. Signals go to the child's process group, since `ssh` and `sudo` have children of
// their own. Only finish() waits, and all children share its grace.
#include "transport/local/child_reaper.h"

#include "os/clock.h"

#include <poll.h>

#include <algorithm>
#include <csignal>

namespace drydock::transport {
namespace {

constexpr std::int64_t k_end_grace_ms = 2000;    // an agent ends at once when its input closes
constexpr std::int64_t k_kill_after_ms = 4000;   // since the close
constexpr std::int64_t k_killed_grace_ms = 200;  // SIGKILL takes effect unless the disk hangs

std::int64_t now_ms() {
    return os::RealClock().monotonic_ms();
}

}  // namespace

// After finish() no later poll() comes, so a child that is taken then is ended here.
void ChildReaper::take(os::Child child) {
    closing_.push_back({std::move(child), now_ms(), false});
    if (finished_) {
        finish(0);
    } else {
        poll();
    }
}

// Reaps children that have ended, and signals each of the others by its age.
void ChildReaper::poll() {
    std::erase_if(closing_, [](Closing& entry) { return entry.child.wait(0).has_value(); });
    const auto now = now_ms();
    for (auto& entry : closing_) {
        if (now - entry.closed_ms >= k_kill_after_ms) {
            entry.child.signal_group(SIGKILL);
        } else if (now - entry.closed_ms >= k_end_grace_ms
                   && !std::exchange(entry.terminated, true)) {
            entry.child.signal_group(SIGTERM);
        }
    }
}

// Waits for one child after the other until all have ended or the time is over.
void ChildReaper::wait_for_all(std::int64_t until_ms) {
    while (!closing_.empty()) {
        std::erase_if(closing_, [](Closing& entry) { return entry.child.wait(0).has_value(); });
        const auto left_ms = until_ms - now_ms();
        if (closing_.empty() || left_ms <= 0) {
            return;
        }
        pollfd first = {closing_.front().child.descriptor(), POLLIN, 0};
        ::poll(&first, 1, static_cast<int>(left_ms));
    }
}

void ChildReaper::signal_all(int number) const {
    for (const auto& entry : closing_) {
        entry.child.signal_group(number);
    }
}

void ChildReaper::finish(std::int64_t grace_ms) {
    finished_ = true;
    wait_for_all(now_ms() + grace_ms);
    signal_all(SIGKILL);
    wait_for_all(now_ms() + k_killed_grace_ms);
}

}  // namespace drydock::transport
