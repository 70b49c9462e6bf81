// Names of what lies in the folders of an agent's state.
#pragma once

#include <string>
#include <vector>

namespace drydock::agent {

// Sorted; empty if the folder cannot be read.
[[nodiscard]] std::vector<std::string> names_in(const std::string& folder);
// Those of runs: the agent's own files start with a dot.
[[nodiscard]] std::vector<std::string> run_names(const std::string& folder);

}  // namespace drydock::agent
