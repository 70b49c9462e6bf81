// Claim files: the owner of each claimed path, kept beside that path.
//
// The fence registry lies in a state folder, and two conductors may use two of them. So the owner
// of a pid file or a link is also kept in "<path>.owner", where every agent of the machine finds
// it. Not thread-safe.
#pragma once

#include "agent/fences.h"
#include "os/files.h"

#include <string>
#include <vector>

namespace drydock::agent {

// Returns the paths that the claims name, sorted. Claims without a path are kept by the registry
// alone.
[[nodiscard]] std::vector<std::string> claimed_paths(const std::vector<std::string>& claims);

// Locks on claim files: while they are held, no other agent fences or begins there.
using ClaimLocks = std::vector<os::FileLock>;

// Registers the owner in every claim file. "agent.owned" if another journal is there, unless
// `take_over`.
[[nodiscard]] Status claim_paths(const Owner& owner, bool take_over);

// Returns the locks under which no claim can change owner. "agent.fenced" if a later conductor, or
// another journal, has claimed one of the paths.
[[nodiscard]] Result<ClaimLocks> hold_claims(const std::vector<std::string>& claims,
                                             const Commander& commander);

}  // namespace drydock::agent
