// Launch: the launcher of MPI in place of this process, for `drydock copy --nodes`.
//
// The launcher starts `drydock-ranks` on each node, which makes the copy. It is MPI's own, or that
// of Slurm, so drydock knows nothing of how processes come to other hosts. Not thread-safe.
#pragma once

#include "base/result.h"
#include "cli/invocation.h"

#include <string>
#include <vector>

namespace drydock::cli {

// Returns the words of the launcher, of `program` and of the command line.
[[nodiscard]] std::vector<std::string>
words_to_launch(const Invocation& invocation, const std::string& program, bool is_slurm_job);

// Becomes the launcher. Returns only to tell why it could not: "copy.nodes".
[[nodiscard]] Error launch_nodes(const Invocation& invocation, const std::string& own_program);

}  // namespace drydock::cli
