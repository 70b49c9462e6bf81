// Claims: what a plan works on at each host, by names that another plan for the same members has
// too, and whether another journal holds the same.
#pragma once

#include "agent/fences.h"
#include "base/json.h"
#include "base/result.h"
#include "conduct/work.h"
#include "model/plan.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::conduct {

// By host: pid files, service commands and links.
[[nodiscard]] std::map<std::string, std::vector<std::string>> claims_of(const model::Plan& plan);

// The same for who only reads these facts.
[[nodiscard]] std::map<std::string, std::vector<std::string>>
claims_of(const model::FactSources& sources);

// The conductor as one host's registry knows it.
[[nodiscard]] agent::Owner owner_on(const std::string& host, const Identity& identity);

// The error that the fence of that host would meet, by the greeting of its agent; none while nobody
// else holds it.
[[nodiscard]] std::optional<Error> ownership_conflict(const Json& greeting,
                                                      const agent::Owner& owner);

// True if another cluster's conductor began the work, and it shares nothing with this identity.
[[nodiscard]] bool is_neighbours(const HostWork& work, const Identity& identity);

}  // namespace drydock::conduct
