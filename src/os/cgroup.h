// Control groups (version 2): named sets of processes that no process leaves by forking.
//
// A group is a folder of the cgroup2 file system. It holds the processes that joined it and all
// their descendants, whatever sessions and parents they have. Functions are thread-safe.
#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace drydock::os {

// The folder of a process's group (0: the caller's). "os.no_cgroup" when no cgroup2 file system
// shows it.
[[nodiscard]] Result<std::string> cgroup_of(pid_t pid = 0);

// Moves a process (0: the caller, which must have one thread) into a group. That costs some
// milliseconds; SpawnOptions::cgroup costs nothing.
[[nodiscard]] Status join_cgroup(const std::string& group, pid_t pid = 0);

// The processes of the group and of all groups below it; none when the group does not exist. Any
// error means that nobody can tell.
[[nodiscard]] Result<std::vector<pid_t>> cgroup_processes(const std::string& group);

// Removes the group and the groups below it, as far as they have no processes.
void remove_cgroup(const std::string& group);

}  // namespace drydock::os
