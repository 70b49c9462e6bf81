// Which process belongs to a service of type `process`.
//
// A process is a member's only if all of this holds: it is of the agent's own user; its executable
// lies in a release of that member, or, for interpreters and Java machines, its script or class
// path does; and it has the arguments of the cluster file. Functions are thread-safe.
#pragma once

#include "agent/action.h"
#include "os/process.h"

#include <string>
#include <utility>
#include <vector>

namespace drydock::agent {

// What the cluster file says of the process.
struct ProcessShape {
    std::vector<std::string> argv;
    std::vector<std::pair<std::string, std::string>> env;
    std::string cwd;
    std::vector<std::string> releases;  // folders; empty: anywhere
    std::string title;                  // how its only argument begins once it has renamed itself
};

// From {argv, env, cwd, releases, title}.
[[nodiscard]] Result<ProcessShape> read_process_shape(const Json& service);

// True if user, program and arguments fit.
[[nodiscard]] bool is_of_service(const ProcessShape& shape, const os::ProcessFacts& process);

// True if working folder and environment fit too, as far as they can be read.
[[nodiscard]] bool same_place(const ProcessShape& shape, const os::ProcessFacts& process);

// True if it has a file of the release open or mapped that `argv` names: two environments share one
// interpreter, so that its executable does not tell them apart.
[[nodiscard]] bool uses_release_of(const ProcessShape& shape, const os::ProcessFacts& process);

// What differs if the process is this program of this user, and its arguments are those of the
// service with some more or some missing. Empty if they fit, or if they are quite different.
[[nodiscard]] std::string near_miss(const ProcessShape& shape, const os::ProcessFacts& process);

}  // namespace drydock::agent
