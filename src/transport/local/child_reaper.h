// ChildReaper: ends and reaps the children of closed conversations, without waiting for each.
//
// A child ends by itself when its input closes; `ssh` to a host that is gone does not. Such a child
// gets SIGTERM after one grace and SIGKILL after another. Not thread-safe.
#pragma once

#include "os/process.h"

#include <cstdint>
#include <vector>

namespace drydock::transport {

class ChildReaper {
public:
    // Takes a child whose pipes are closed. Returns at once.
    void take(os::Child child);
    // Reaps children that have ended and signals overdue ones. Returns at once.
    void poll();
    // Ends all children within `grace_ms` together, and every later one in take().
    void finish(std::int64_t grace_ms);

private:
    struct Closing {
        os::Child child;
        std::int64_t closed_ms = 0;
        bool terminated = false;
    };

    void wait_for_all(std::int64_t until_ms);
    void signal_all(int number) const;

    std::vector<Closing> closing_;
    bool finished_ = false;
};

}  // namespace drydock::transport
