#include "conduct/claims.h"

#include <fmt/format.h>

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
        claims.insert("start " + service["start"].dump());
    }
    if (request["link"].is_string()) {
        claims.insert("link " + request["link"].as_string());
    }
}

bool overlap(const Json& claims, const std::vector<std::string>& ours) {
    return std::any_of(claims.items().begin(), claims.items().end(), [&](const Json& one) {
        return std::find(ours.begin(), ours.end(), one.as_string()) != ours.end();
    });
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

std::optional<Error> ownership_conflict(const Json& greeting,
                                        const std::string& cluster,
                                        const std::string& journal,
                                        const std::vector<std::string>& claims) {
    for (const Json& owner : greeting["owners"].items()) {
        const bool same_cluster = !cluster.empty() && owner["cluster"].as_string() == cluster;
        if (owner["journal"].as_string() == journal
            || (!same_cluster && !overlap(owner["claims"], claims))) {
            continue;
        }
        return Error{"agent.owned",
                     fmt::format("the journal {} of cluster {} works here ({}, epoch {})",
                                 owner["journal"].as_string().substr(0, 8),
                                 owner["cluster"].as_string(),
                                 owner["who"].as_string(),
                                 owner["epoch"].show()),
                     "use that journal; if it is lost and nobody works with it any more: the same "
                     "command with --take-over",
                     ErrorClass::permanent};
    }
    return std::nullopt;
}

}  // namespace drydock::conduct
