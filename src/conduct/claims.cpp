#include "conduct/claims.h"

#include "base/hash.h"

#include <algorithm>
#include <set>

namespace drydock::conduct {

namespace {

// The names under which a request's target is known on its host.
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

}  // namespace

std::map<std::string, std::vector<std::string>> claims_of(const model::Plan& plan) {
    std::map<std::string, std::set<std::string>> found;
    for (const model::Action& action : plan.actions) {
        if (!action.host.empty()) {
            add_claims(action.request, found[action.host]);
        }
    }
    for (const auto& [key, source] : plan.sources) {
        if (!source.host.empty()) {
            add_claims(source.probe, found[source.host]);
        }
    }
    std::map<std::string, std::vector<std::string>> claims;
    for (const auto& [host, names] : found) {
        claims[host].assign(names.begin(), names.end());
    }
    return claims;
}

// As the host's own agent will decide.
std::optional<Error> ownership_conflict(const Json& greeting, const agent::Owner& owner) {
    auto registry = agent::FenceRegistry::read(greeting);
    if (!registry) {
        return std::nullopt;  // an agent that tells none is refused by its version
    }
    const auto fenced = registry->fence(owner, false);
    return fenced ? std::nullopt : std::optional(fenced.error());
}

}  // namespace drydock::conduct
