// Decides whether a process belongs to a service of type `process`.
//
// A process is a member's only if three things hold. It is of the agent's own user. Its executable
// lies in a release of that member; for interpreters and Java machines, its script or class path
// does. It has the arguments of the cluster file. Functions are thread-safe.
#pragma once

#include "agent/action.h"
#include "os/process.h"

#include <string>
#include <utility>
#include <vector>

namespace drydock::agent {

// The process as the cluster file describes it.
struct ProcessShape {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> env;
    std::string cwd;
    std::vector<std::string> releases;  // folders; empty: anywhere
    std::string title;                  // start of its only argument after it has renamed itself
};

// Reads {argv, env, cwd, releases, title}.
[[nodiscard]] Result<ProcessShape> read_process_shape(const Json& service);

// True if user, program and arguments fit.
[[nodiscard]] bool is_of_service(const ProcessShape& shape, const os::ProcessFacts& process);

// True if working folder and environment fit too, as far as they can be read.
[[nodiscard]] bool same_place(const ProcessShape& shape, const os::ProcessFacts& process);

// True if the process has mapped a file of the release that `argv` names. Two environments may
// share one interpreter, so that the executable does not tell them apart.
[[nodiscard]] bool uses_release_of(const ProcessShape& shape, const os::ProcessFacts& process);

// Returns the difference if the process is this program of this user, and only some arguments are
// missing or surplus. Empty if they fit, or if they are quite different.
[[nodiscard]] std::string near_miss(const ProcessShape& shape, const os::ProcessFacts& process);

}  // namespace drydock::agent
