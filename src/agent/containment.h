// Containment: all processes of one attempt, however they were forked.
//
// A supervisor may die alone (out of memory, `kill -9`) while its processes work on. Until the last
// of them has ended, a second attempt must not begin beside them. Where a cgroup2 file system is
// writable, each attempt has a group of its own. Elsewhere the attempt's processes are found by a
// cookie in their environment, DRYDOCK_ATTEMPT=FOLDER, and by the sessions that the supervisor
// started. The file `containment.json` of the attempt's folder says which way is used. Not
// thread-safe.
#pragma once

#include "base/result.h"
#include "os/files.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::agent {

// Environment variable by which a test switches groups off.
inline constexpr const char* k_no_cgroup_variable = "DRYDOCK_AGENT_NO_CGROUP";

// Makes the group of that folder's attempt below the caller's, so that its supervisor is born in
// it. Returns no descriptor where no group can be made.
[[nodiscard]] os::Fd make_containment(const std::string& folder);

// The supervisor's side.
class Containment {
public:
    // Contains the calling process and every process that it starts from now on. Must be called
    // before it starts any.
    [[nodiscard]] static Result<Containment> enter(const std::string& folder);

    // "DRYDOCK_ATTEMPT=FOLDER", for the environment of contained processes.
    [[nodiscard]] const std::string& cookie() const { return cookie_; }

    // Records a child, which leads a session of its own, before it runs.
    void record_session(pid_t pid) const;

    // The group for processes that outlive the attempt, open for reading; -1 without groups.
    [[nodiscard]] int outer_group() const { return outer_.get(); }

    // Lets a process (0: the caller) outlive the attempt. Such a process must not have the cookie.
    void release(pid_t pid) const;
    // Kills all contained processes but the caller. Returns false if some were left after
    // `within_ms`.
    [[nodiscard]] bool kill_others(std::int64_t within_ms) const;
    // Takes the caller out of its group and removes the group if it is empty. Does nothing if the
    // caller was born in it: moving costs more than the later removal by the agent.
    void leave() const;

private:
    std::string folder_;
    std::string cookie_;
    std::string parent_;  // group of the agent; empty: no groups here
    std::string group_;
    os::Fd outer_;
    bool born_inside_ = false;  // then the agent removes the group
};

// Returns the processes that still belong to that folder's attempt. Any error means that this is
// unknown.
[[nodiscard]] Result<std::vector<pid_t>> contained_processes(const std::string& folder);

// Removes the attempt's group from the cgroup file system, if no process is in it.
void remove_containment(const std::string& folder);

}  // namespace drydock::agent
