// Processes that need not be children of this one, held by a pidfd.
//
// A pid may be reused between two calls, and a signal would hit another process. A pidfd names the
// same process for ever: after its end every call fails with ESRCH.
#include "os/process.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <string>
#include <string_view>

namespace drydock::os {

namespace {

std::int64_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

}  // namespace

Result<Fd> open_process(pid_t pid) {
    Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) {
        return errno == ESRCH
                   ? fail("os.no_process", fmt::format("there is no process {}", pid))
                   : fail_errno("os.pidfd_open", fmt::format("pidfd_open {}", pid), errno);
    }
    return process;
}

std::string own_program() {
    constexpr std::string_view k_replaced = " (deleted)";
    std::array<char, PATH_MAX> path{};
    const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
    const std::string_view whole(path.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    return std::string(
        whole.ends_with(k_replaced) ? whole.substr(0, whole.size() - k_replaced.size()) : whole);
}

Status signal_process(const Fd& process, int number) {
    if (::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0) != 0) {
        return errno == ESRCH ? fail("os.no_process", "the process is gone")
                              : fail_errno("os.kill", "sending a signal", errno);
    }
    return {};
}

// A pidfd becomes readable when the process ends, before its parent reaps it. A signal interrupts
// poll(), so the remaining time is computed in each round.
bool wait_gone(const Fd& process, std::int64_t timeout_ms) {
    const auto deadline_ms = now_ms() + timeout_ms;
    for (;;) {
        const auto remaining_ms = std::max<std::int64_t>(deadline_ms - now_ms(), 0);
        pollfd poll_entry = {process.get(), POLLIN, 0};
        const int ready = ::poll(&poll_entry, 1, static_cast<int>(remaining_ms));
        if (ready > 0) {
            return true;
        }
        if (ready == 0 || errno != EINTR) {
            return false;
        }
    }
}

}  // namespace drydock::os
