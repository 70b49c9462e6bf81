// Copies of this process. For os itself, and for programs that fork without executing another one.
#pragma once

#include "os/process.h"

#include <functional>

namespace drydock::os {

// fork(), into the control group whose folder is open as `cgroup`; into the caller's where that is
// -1 or the kernel refuses.
[[nodiscard]] pid_t fork_into(int cgroup);

// Ends and reaps a child that may not go on.
void end_child(pid_t pid);

// Waits for the byte with which a parent lets its child begin. False: the pipe ended, or cannot be
// read, and it never may. Async-signal-safe.
[[nodiscard]] bool await_leave(int pipe);

// Default handling of all signals, none blocked. Async-signal-safe.
void reset_signals();

// Starts a copy of this process that runs `body` and exits with what it answers, in a session of
// its own and with default handling of signals. It has all descriptors of the caller, which must
// have a single thread. An error means that it never ran.
[[nodiscard]] Result<Child> fork_process(int cgroup, const std::function<int()>& body);

}  // namespace drydock::os
