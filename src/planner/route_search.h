// Releases in their order, the makers' rules on hops between them, and the search over both.
// Private to this folder.
#pragma once

#include "planner/planner.h"

#include <string>
#include <vector>

namespace drydock::planner {

[[nodiscard]] bool is_older(const std::string& a, const std::string& b);

// All releases that could stand on the route, oldest first: the pack's, those of the cluster file,
// and the two ends.
[[nodiscard]] std::vector<std::string> known_releases(const model::Pack& pack,
                                                      const model::Cluster& cluster,
                                                      const std::string& from_version,
                                                      const std::string& to_version);

struct Objection {
    std::string text;  // "a -> b skips a series: upgrade guide (releases.yaml:19:5)"
    bool yields_to_chain = false;
};

// The rules of a pack over releases that are known.
class RouteRules {
public:
    RouteRules(const model::Pack& pack,
               const std::vector<std::string>& releases,
               const model::FactBook* facts);

    // Why the makers do not want the hop; empty: they have nothing against it.
    [[nodiscard]] std::vector<Objection> objections(const std::string& from_version,
                                                    const std::string& to_version) const;
    // Why the release cannot be installed; empty: it can.
    [[nodiscard]] std::string unavailable(const std::string& release) const;
    // What a release needs and no fact tells of.
    [[nodiscard]] std::vector<std::string> untold(const std::string& release) const;

private:
    [[nodiscard]] std::string
    breach(const model::RoutePolicy& policy, const std::string& from_version, const std::string& to_version) const;
    [[nodiscard]] std::string breach_of_order(const model::RoutePolicy& policy,
                                              const std::string& from_version,
                                              const std::string& to_version) const;
    [[nodiscard]] std::string breach_of_runtime(const model::RoutePolicy& policy,
                                                const std::string& to_version) const;
    [[nodiscard]] const model::Observation* fact_of(const model::RoutePolicy& policy) const;
    [[nodiscard]] std::string next_after(const std::string& release) const;
    [[nodiscard]] std::string latest_of(std::size_t series) const;
    [[nodiscard]] bool has_release(std::size_t series) const;

    const model::Pack& pack_;
    std::vector<std::string> installable_;  // oldest first
    const model::FactBook* facts_;
};

}  // namespace drydock::planner
