// The fork server: starts supervisors without loading the program again, which would take longer
// than most actions.
//
// It is a process of its own, `agent --fork-server`, with one thread and without secrets. For each
// order it forks itself; the child is the supervisor. It ends when its agent is gone; supervisors
// go on. Not thread-safe.
#pragma once

#include "base/result.h"
#include "os/process.h"

#include <cstdint>
#include <string>
#include <utility>

namespace drydock::agent {

// The time that an order waits for its answer. Two orders, the second to a new server, take less
// time than other agents wait for the lock of the host.
inline constexpr std::int64_t k_fork_answer_ms = 4'000;

class ForkServer {
public:
    // The parts of a supervisor. The descriptors stay the caller's.
    struct Order {
        std::string folder;  // of its attempt
        int input = -1;      // its standard input: the order that it reads
        int lock = -1;       // its descriptor 3: held as long as it lives
        int cgroup = -1;     // to be born in (os::fork_process); -1: the server's own
    };

    // `program` understands "agent --fork-server". Returns while the program is still loading.
    [[nodiscard]] static Result<ForkServer> start(const std::string& program,
                                                  std::int64_t answer_ms_max = k_fork_answer_ms);

    // Ends the server, even if it hangs, and so frees the descriptors of its orders. Supervisors go
    // on.
    ~ForkServer();
    ForkServer(ForkServer&&) = default;

    ForkServer& operator=(ForkServer&& source) noexcept {
        std::swap(socket_, source.socket_);
        std::swap(process_, source.process_);
        return *this;
    }

    // Returns the process descriptor of the new supervisor. Any error means that none begins; then
    // the server must not be used any more.
    [[nodiscard]] Result<os::Fd> fork(const Order& order);

private:
    ForkServer(os::Fd socket, os::Child process)
        : socket_(std::move(socket))
        , process_(std::move(process)) {}

    os::Fd socket_;  // none: another object has the server
    os::Child process_;
};

// The server's side: takes orders from descriptor 0. Returns the exit status.
[[nodiscard]] int serve_forks();

}  // namespace drydock::agent
