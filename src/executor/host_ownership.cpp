// Claims of a plan, and the comparison of owners before any host is asked.
//
// A claim is a word for a thing on a host: "pid_file /run/etcd.pid", "unit etcd.service", "link
// /opt/etcd". Two journals that claim the same thing steer the same member, whatever their clusters
// are called. The decision itself is the agent's (agent/fences.h); this file only foresees it, so
// that a refusal comes before a run is created. docs/design/0005-the-run-session.md, "Who speaks".
#include "executor/host_ownership.h"

#include "agent/action_key.h"
#include "base/hash.h"

#include <algorithm>
#include <set>

namespace drydock::executor {

namespace {

// Adds the names of a request's target on its host. A start command has no name, so its hash
// serves.
void add_claims(const Json& request, std::set<std::string>& claims) {
    const Json& service = request["service"];
    if (service["pid_file"].is_string()) {
        claims.insert("pid_file " + service["pid_file"].as_string());
    }
    if (service["unit"].is_string()) {
        claims.insert("unit " + service["unit"].as_string());
    }
    if (service["start"].is_array()) {
        claims.insert("start " + sha256_hex(service["start"].dump()));
    }
    if (request["link"].is_string()) {
        claims.insert("link " + request["link"].as_string());
    }
}

using ClaimSets = std::map<std::string, std::set<std::string>>;  // by host

ClaimSets read_claims(const model::FactSources& sources) {
    ClaimSets sets;
    for (const auto& [key, source] : sources) {
        if (!source.host.empty()) {
            add_claims(source.probe, sets[source.host]);
        }
    }
    return sets;
}

std::map<std::string, std::vector<std::string>> to_lists(const ClaimSets& sets) {
    std::map<std::string, std::vector<std::string>> claims;
    for (const auto& [host, names] : sets) {
        claims[host].assign(names.begin(), names.end());
    }
    return claims;
}

}  // namespace

std::map<std::string, std::vector<std::string>> claims_of(const model::Plan& plan) {
    ClaimSets sets = read_claims(plan.sources);
    for (const model::Action& action : plan.actions) {
        if (!action.host.empty()) {
            add_claims(action.request, sets[action.host]);
        }
    }
    return to_lists(sets);
}

std::map<std::string, std::vector<std::string>> claims_of(const model::FactSources& sources) {
    return to_lists(read_claims(sources));
}

// Work of a neighbour has an owner with another journal, and no claim in common. Work without a
// registered owner is never a neighbour's: its claims are unknown.
bool is_neighbours(const AttemptOnHost& work, const Identity& identity) {
    return work.owner && work.owner->journal != identity.journal
           && !agent::is_conflict(owner_on(work.host, identity), *work.owner);
}

agent::Owner owner_on(const std::string& host, const Identity& identity) {
    agent::Owner owner;
    owner.cluster = identity.cluster;
    owner.journal = identity.journal;
    owner.epoch = static_cast<std::int64_t>(identity.epoch);
    owner.leases = identity.leases;
    if (const auto claims = identity.claims.find(host); claims != identity.claims.end()) {
        owner.claims = claims->second;
    }
    return owner;
}

// Lets a copy of the host's registry decide, by the rules of the host's own agent. Nothing is
// fenced.
std::optional<Error> ownership_conflict(const Json& greeting, const agent::Owner& owner) {
    if (greeting.contains("fence_error")) {
        return agent::read_error(greeting["fence_error"]);
    }
    auto registry = agent::FenceRegistry::read(greeting);
    if (!registry) {
        return std::nullopt;  // an agent that reports no registry is refused by its version
    }
    const auto fenced = registry->fence(owner, false);
    return fenced ? std::nullopt : std::optional(fenced.error());
}

}  // namespace drydock::executor
