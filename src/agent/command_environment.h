// The environment in which commands of a pack run: actions, probes and the status of a service.
#pragma once

#include "base/json.h"

#include <string>
#include <vector>

namespace drydock::agent {

// Returns "NAME=value": PATH of the agent, HOME of its user, and the variables of `given`, which
// win over both. HOME is the folder in the user's passwd entry, whatever HOME the agent has; it is
// left out for a user without an entry.
[[nodiscard]] std::vector<std::string> command_environment(const Json& given);

}  // namespace drydock::agent
