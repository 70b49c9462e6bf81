// Names in the folders of an agent's state.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace drydock::agent {

// Returns the names, sorted; none if there is no such folder. "os.read" if it cannot be read.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::string& folder);
// Returns the names of runs: the agent's own files start with a dot.
[[nodiscard]] Result<std::vector<std::string>> run_names(const std::string& folder);

}  // namespace drydock::agent
