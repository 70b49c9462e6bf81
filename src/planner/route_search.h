// Releases in their order, the makers' rules for hops between them, and the search over both.
// Private to this folder.
#pragma once

#include "planner/planner.h"

#include <string>
#include <vector>

namespace drydock::planner {

[[nodiscard]] bool is_older(const std::string& a, const std::string& b);

// Returns all releases that could stand on the route, oldest first: those of the pack, those of the
// cluster file, and the two ends.
[[nodiscard]] std::vector<std::string> known_releases(const model::Pack& pack,
                                                      const model::Cluster& cluster,
                                                      const std::string& from_version,
                                                      const std::string& to_version);

struct Objection {
    std::string text;  // "a -> b skips a series: upgrade guide (releases.yaml:19:5)"
    bool yields_to_chain = false;
};

// The rules of a pack over a set of releases.
class RouteRules {
public:
    RouteRules(const model::Pack& pack,
               const std::vector<std::string>& releases,
               const model::FactBook* facts);

    // Returns the makers' objections to a hop; empty: they have none.
    [[nodiscard]] std::vector<Objection> objections(const std::string& from_version,
                                                    const std::string& to_version) const;
    // Returns why the release cannot be installed; empty: it can.
    [[nodiscard]] std::string unavailable(const std::string& release) const;
    // Returns the needs of a release of which no fact tells.
    [[nodiscard]] std::vector<std::string> untold(const std::string& release) const;

private:
    [[nodiscard]] std::string breach(const model::RoutePolicy& policy,
                                     const std::string& from_version,
                                     const std::string& to_version) const;
    [[nodiscard]] std::string breach_of_order(const model::RoutePolicy& policy,
                                              const std::string& from_version,
                                              const std::string& to_version) const;
    [[nodiscard]] std::string breach_of_stop(const model::RoutePolicy& policy,
                                             const std::string& from_version,
                                             const std::string& to_version) const;
    [[nodiscard]] std::string breach_of_patch(const model::RoutePolicy& policy,
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
