// Where the cluster stands: what its members run, and whether the last hop is over.
#include "model/version.h"
#include "planner/names.h"
#include "planner/planner.h"
#include "planner/route_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

using model::Pack;

namespace {

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

// The side that clients are served by, if the cluster has sides and a fact tells; else empty.
std::string
serving_side(const Pack& pack, const model::Cluster& cluster, const model::FactBook& facts) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto found = facts.find(spec.name);
        if (spec.binds != "serving" || !spec.role.empty() || found == facts.end()) {
            continue;
        }
        const std::string& side = found->second.value.as_string();
        const bool is_side =
            std::any_of(cluster.members.begin(), cluster.members.end(), [&](const auto& member) {
                return !side.empty() && member.side == side;
            });
        return is_side ? side : "";
    }
    return {};
}

}  // namespace

// Beside a side that serves, the other one counts for nothing: it may stand on any release.
Result<std::string> current_version(const Pack& pack,
                                    const model::Cluster& cluster,
                                    const model::FactBook& facts,
                                    const std::string& to) {
    const std::string side = serving_side(pack, cluster, facts);
    std::set<std::string> found;
    for (const model::Member& member : cluster.members) {
        if (!side.empty() && !member.side.empty() && member.side != side) {
            continue;
        }
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
