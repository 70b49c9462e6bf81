// fork() with two additions: birth inside a control group, and a start that waits for the parent.
//
// A process that moves into a group after its birth costs milliseconds, and it may fork before it
// arrives. clone3 with CLONE_INTO_CGROUP has neither problem. It does not run glibc's fork
// handlers; the child calls only async-signal-safe functions or has a single thread.
//
// A child waits for a byte from its parent before it does anything. So a parent that cannot open
// the pidfd, or dies first, leaves no child behind that has begun its work.
#include "os/fork.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace drydock::os {

void reset_signals() {
    struct sigaction action = {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) {
        ::sigaction(number, &action, nullptr);
    }
    sigset_t empty_set;
    ::sigemptyset(&empty_set);
    ::pthread_sigmask(SIG_SETMASK, &empty_set, nullptr);
}

pid_t fork_into(int cgroup) {
    if (cgroup >= 0) {
        clone_args arguments = {};
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.exit_signal = SIGCHLD;
        arguments.cgroup = static_cast<unsigned>(cgroup);
        const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid >= 0) {
            return static_cast<pid_t>(pid);
        }
    }
    return ::fork();
}

void kill_child(pid_t pid) {
    ::kill(pid, SIGKILL);
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

bool wait_for_start(int pipe) {
    char byte = 0;
    ssize_t size = -1;
    while ((size = ::read(pipe, &byte, 1)) < 0 && errno == EINTR) {
    }
    return size == 1;
}

namespace {

constexpr int k_exit_no_descriptor = 127;

// Runs in the child. A parent that ends before its byte closes the pipe, which ends this child,
// too.
[[noreturn]] void run_copy(std::pair<Fd, Fd>& leave, const std::function<int()>& body) {
    leave.second.close();
    if (!wait_for_start(leave.first.get())) {
        ::_exit(k_exit_no_descriptor);
    }
    leave.first.close();
    ::setsid();
    reset_signals();
    ::_exit(body());
}

}  // namespace

Result<Child> fork_process(int cgroup, const std::function<int()>& body) {
    DRYDOCK_TRY_ASSIGN(auto leave, make_pipe());
    const pid_t pid = fork_into(cgroup);
    if (pid < 0) {
        return fail_errno("os.fork", "fork", errno);
    }
    if (pid == 0) {
        run_copy(leave, body);
    }
    auto descriptor = open_process(pid);
    if (!descriptor) {
        kill_child(pid);
        return tl::unexpected(descriptor.error());
    }
    DRYDOCK_TRY(write_all(leave.second.get(), "y"));
    return Child(pid, std::move(*descriptor));
}

}  // namespace drydock::os
