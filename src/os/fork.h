// Copies of this process: for os itself, and for programs that fork without exec.
#pragma once

#include "os/process.h"

#include <functional>

namespace drydock::os {

// Calls fork() into the control group whose folder is open as `cgroup`. Falls back to the caller's
// group if `cgroup` is -1 or the kernel refuses.
[[nodiscard]] pid_t fork_into(int cgroup);

// Kills and reaps a child that must not continue.
void kill_child(pid_t pid);

// Waits for the byte with which the parent lets its child begin. Returns false if the pipe ended or
// cannot be read: the child must not begin then. Async-signal-safe.
[[nodiscard]] bool wait_for_start(int pipe);

// Sets default handling of all signals and blocks none. Async-signal-safe.
void reset_signals();

// Starts a copy of this process that calls `body` and exits with its result. The copy has a session
// of its own, default signal handling, and all descriptors of the caller. The caller must have a
// single thread. An error means that `body` never ran.
[[nodiscard]] Result<Child> fork_process(int cgroup, const std::function<int()>& body);

}  // namespace drydock::os
