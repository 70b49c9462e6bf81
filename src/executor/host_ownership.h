// Claims name the things on a host that a plan works on: pid files, service commands, links.
// Another plan for the same members has the same names, so two journals can tell that they share a
// member.
#pragma once

#include "agent/fences.h"
#include "base/json.h"
#include "base/result.h"
#include "executor/work_on_hosts.h"
#include "model/plan.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::executor {

// Returns the plan's claims by host: pid files, service commands and links.
[[nodiscard]] std::map<std::string, std::vector<std::string>> claims_of(const model::Plan& plan);

// Returns the claims of sources, for a survey that only reads them.
[[nodiscard]] std::map<std::string, std::vector<std::string>>
claims_of(const model::FactSources& sources);

// Returns the conductor as the registry of one host knows it.
[[nodiscard]] agent::Owner owner_on(const std::string& host, const Identity& identity);

// Returns the error that the fence of that host would meet, judged by its agent's greeting. Returns
// nothing while no other owner holds the host.
[[nodiscard]] std::optional<Error> ownership_conflict(const Json& greeting,
                                                      const agent::Owner& owner);

// True if another cluster's conductor began the work and shares no claim with this identity.
[[nodiscard]] bool is_neighbours(const AttemptOnHost& work, const Identity& identity);

}  // namespace drydock::executor
