// Claims: what a plan works on at each host, by names that another plan for the same members has
// too, and whether another journal holds the same.
#pragma once

#include "agent/fences.h"
#include "base/json.h"
#include "base/result.h"
#include "model/plan.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::conduct {

// By host: pid files, service commands and links.
[[nodiscard]] std::map<std::string, std::vector<std::string>> claims_of(const model::Plan& plan);

// The error that the fence of that host would meet, by the greeting of its agent; none while nobody
// else holds it.
[[nodiscard]] std::optional<Error> ownership_conflict(const Json& greeting,
                                                      const agent::Owner& owner);

}  // namespace drydock::conduct
