// Control groups (version 2): named sets of processes, which no process leaves by a fork.
//
// A group is a folder of the cgroup2 file system. It contains the processes that joined it and all
// their descendants, whatever sessions and parents these have. Functions are thread-safe.
#pragma once

#include "base/result.h"

#include <sys/types.h>

#include <string>
#include <vector>

namespace drydock::os {

// Returns the folder of a process's group (0: the caller). Error: "os.no_cgroup" if no mounted
// cgroup2 file system shows it.
[[nodiscard]] Result<std::string> cgroup_of(pid_t pid = 0);

// Moves a process into a group (0: the caller, which must have one thread). That takes some
// milliseconds; SpawnOptions::cgroup takes none.
[[nodiscard]] Status join_cgroup(const std::string& group, pid_t pid = 0);

// Returns the processes of the group and of all groups below it; none if the group does not exist.
// An error means that they are unknown.
[[nodiscard]] Result<std::vector<pid_t>> cgroup_processes(const std::string& group);

// Removes the group and the groups below it, as far as they have no processes.
void remove_cgroup(const std::string& group);

}  // namespace drydock::os
