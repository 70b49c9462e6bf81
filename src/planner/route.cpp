// The route: hops between releases that the pack's policies allow, shortest first; and where the
// cluster stands.
#include "model/version.h"
#include "planner/names.h"
#include "planner/planner.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

namespace drydock::planner {

namespace {

using model::Pack;

bool is_older(const std::string& a, const std::string& b) {
    return model::compare_versions(a, b) < 0;
}

// All releases that could stand on the route, oldest first: the pack's, those of the cluster file,
// and the two ends.
std::vector<std::string> known_releases(const Pack& pack,
                                        const model::Cluster& cluster,
                                        const std::string& from,
                                        const std::string& to) {
    std::set<std::string> names = {from, to};
    for (const auto& [version, release] : pack.releases) {
        names.insert(version);
    }
    for (const model::Member& member : cluster.members) {
        for (const auto& [version, folder] : member.versions) {
            names.insert(version);
        }
    }
    std::vector<std::string> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end(), is_older);
    return sorted;
}

// Why a hop may not be; empty if it may.
std::string forbidden_by(const Pack& pack, const std::string& from, const std::string& to) {
    const std::size_t a = series_index(pack, from);
    const std::size_t b = series_index(pack, to);
    for (const model::RoutePolicy& policy : pack.policies) {
        if (policy.rule == "adjacent_only" && (a > b ? a - b : b - a) > 1) {
            return fmt::format("{} -> {} skips a series: {} ({})",
                               from,
                               to,
                               policy.source,
                               place(pack, policy.where));
        }
        const auto range = model::VersionRange::parse(policy.argument);
        if (policy.rule == "never" && range && range->contains(to)) {
            return fmt::format(
                "{} is never a target: {} ({})", to, policy.source, place(pack, policy.where));
        }
    }
    return {};
}

const model::ProcedureSpec* procedure_for(const Pack& pack,
                                          const std::string& name,
                                          const std::string& from,
                                          const std::string& to) {
    const auto it = std::find_if(
        pack.procedures.begin(), pack.procedures.end(), [&](const model::ProcedureSpec& one) {
            return one.name == name && model::version_in_range(one.from, from)
                   && model::version_in_range(one.to, to);
        });
    return it == pack.procedures.end() ? nullptr : &*it;
}

// A hop, if one leads there; `forbidden` is told why not.
std::optional<Hop> hop_between(const Pack& pack,
                               const std::string& from,
                               const std::string& to,
                               std::vector<std::string>& forbidden) {
    const std::string name = is_older(from, to) ? "upgrade" : "downgrade";
    const auto* procedure = procedure_for(pack, name, from, to);
    std::string rule = forbidden_by(pack, from, to);
    if (procedure == nullptr && rule.empty()) {
        rule = fmt::format("{} -> {}: the pack has no {} procedure for it", from, to, name);
    }
    if (!rule.empty()) {
        forbidden.push_back(std::move(rule));
        return std::nullopt;
    }
    return Hop{from,
               to,
               procedure->name,
               fmt::format("{} ({})", procedure->title, place(pack, procedure->where))};
}

bool lies_between(const std::string& version, const std::string& from, const std::string& to) {
    const bool forward = is_older(from, to);
    return forward ? is_older(from, version) && !is_older(to, version)
                   : is_older(version, from) && !is_older(version, to);
}

// Breadth first, so that the first way found is a shortest one; among equals the newest stop of a
// series wins.
std::vector<Hop> search(const Pack& pack,
                        std::vector<std::string> releases,
                        const std::string& from,
                        const std::string& to,
                        std::vector<std::string>& forbidden) {
    std::reverse(releases.begin(), releases.end());
    std::map<std::string, Hop> reached;
    std::deque<std::string> queue = {from};
    while (!queue.empty() && !reached.contains(to)) {
        const std::string at = queue.front();
        queue.pop_front();
        for (const std::string& release : releases) {
            if (reached.contains(release) || !lies_between(release, at, to)) {
                continue;
            }
            if (auto hop = hop_between(pack, at, release, forbidden)) {
                reached.emplace(release, *hop);
                queue.push_back(release);
            }
        }
    }
    std::vector<Hop> hops;
    for (std::string at = to; at != from && reached.contains(at); at = hops.front().from) {
        hops.insert(hops.begin(), reached.at(at));
    }
    return hops;
}

// Links need the folder of each release that a plan names.
bool is_at_hand(const model::Cluster& cluster, const std::string& release) {
    return std::all_of(
        cluster.members.begin(), cluster.members.end(), [&](const model::Member& member) {
            return member.versions.empty() || member.versions.contains(release);
        });
}

// What the level fact says, as one of the store's formats; empty if it says nothing known.
std::string format_at(const model::StoreSpec& store, const model::FactBook& facts) {
    const auto level = facts.find(store.level);
    if (level == facts.end() || level->second.status != model::Known::known) {
        return {};
    }
    const std::string at = level->second.value.show();
    const auto it =
        std::find_if(store.formats.begin(), store.formats.end(), [&](const std::string& format) {
            return at == format || model::version_in_series(at, format);
        });
    return it == store.formats.end() ? "" : *it;
}

bool writes(const Pack& pack,
            const std::string& release,
            const std::string& store,
            const std::string& format) {
    const auto* law = law_of(pack, release, store);
    return law != nullptr && law->writes == format;
}

// Every member runs `to`, but a level that it would raise is still older: the hop is not over, and
// this is where it began. The newest release that wrote that level, at hand if one is.
std::string behind_level(const Pack& pack,
                         const model::Cluster& cluster,
                         const model::FactBook& facts,
                         const std::string& to) {
    std::string from = to;
    for (const auto& [name, store] : pack.stores) {
        const std::string at = format_at(store, facts);
        if (at.empty() || writes(pack, to, name, at)) {
            continue;
        }
        for (const std::string& release : known_releases(pack, cluster, to, to)) {
            const bool better = is_at_hand(cluster, release) || from == to;
            if (is_older(release, to) && better && writes(pack, release, name, at)) {
                from = release;
            }
        }
    }
    return from;
}

// The first fact of the member that is bound to the standard one; never read if there is none.
model::Observation observed(const model::FactBook& facts,
                            const Pack& pack,
                            const model::Member& member,
                            std::string_view standard) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto it = facts.find(model::fact_key(member.name, spec.name));
        if (spec.binds == standard && it != facts.end()) {
            return it->second;
        }
    }
    return {model::Known::unknown, {}, "was not read", 0};
}

// What runs; of a member that is down, what would start.
Result<std::string>
runs_or_would(const model::FactBook& facts, const Pack& pack, const model::Member& member) {
    auto found = observed(facts, pack, member, "running");
    if (found.status == model::Known::absent) {
        found = observed(facts, pack, member, "installed");
    }
    if (found.status == model::Known::known) {
        return found.value.as_string();
    }
    return tl::unexpected(
        Error{"plan.version",
              fmt::format("which release {} runs cannot be told: {}", member.name, show(found)),
              "see that the member answers (drydock survey), then plan again",
              ErrorClass::transient});
}

}  // namespace

Result<Route> find_route(const Pack& pack,
                         const model::Cluster& cluster,
                         const std::string& from,
                         const std::string& to) {
    for (const std::string& version : {from, to}) {
        if (series_of(pack, version).empty()) {
            return fail(
                "route.unknown",
                fmt::format("the {} pack knows no series that {} belongs to", pack.name, version),
                fmt::format("it knows {}", fmt::join(pack.series_order, ", ")));
        }
    }
    Route route;
    if (from == to) {
        return route;
    }
    route.hops = search(pack, known_releases(pack, cluster, from, to), from, to, route.forbidden);
    if (route.hops.empty()) {
        return fail(
            "route.none",
            fmt::format(
                "no way leads from {} to {}: {}", from, to, fmt::join(route.forbidden, "; ")),
            "name another version, or add the releases in between to `release: versions:` of the "
            "cluster file");
    }
    return route;
}

Result<std::string> current_version(const Pack& pack,
                                    const model::Cluster& cluster,
                                    const model::FactBook& facts,
                                    const std::string& to) {
    std::set<std::string> found;
    for (const model::Member& member : cluster.members) {
        DRYDOCK_TRY_ASSIGN(std::string version, runs_or_would(facts, pack, member));
        found.insert(std::move(version));
    }
    std::vector<std::string> sorted(found.begin(), found.end());
    std::sort(sorted.begin(), sorted.end(), is_older);
    const bool forward = is_older(sorted.front(), to);
    const std::string reached = forward ? sorted.front() : sorted.back();
    return reached == to ? behind_level(pack, cluster, facts, to) : reached;
}

}  // namespace drydock::planner
