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
    const std::string level_text = level->second.value.show();
    const auto position =
        std::find_if(store.formats.begin(), store.formats.end(), [&](const std::string& format) {
            return level_text == format || model::version_in_series(level_text, format);
        });
    return position == store.formats.end() ? "" : *position;
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
                         const std::string& to_version) {
    std::string from_version = to_version;
    for (const auto& [name, store] : pack.stores) {
        const std::string format = format_at(store, facts);
        if (format.empty() || writes(pack, to_version, name, format)) {
            continue;
        }
        for (const std::string& release : known_releases(pack, cluster, to_version, to_version)) {
            const bool better = is_at_hand(cluster, release) || from_version == to_version;
            if (is_older(release, to_version) && better && writes(pack, release, name, format)) {
                from_version = release;
            }
        }
    }
    return from_version;
}

// The first fact of the member that is bound to the standard one; never read if there is none.
model::Observation observed(const model::FactBook& facts,
                            const Pack& pack,
                            const model::Member& member,
                            std::string_view standard) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto entry = facts.find(model::fact_key(member.name, spec.name));
        if (spec.binds == standard && entry != facts.end()) {
            return entry->second;
        }
    }
    return {model::Known::unknown, {}, "was not read", 0};
}

// What runs; of a member that is down, what would start.
Result<std::string>
runs_or_would(const model::FactBook& facts, const Pack& pack, const model::Member& member) {
    auto observation = observed(facts, pack, member, "running");
    if (observation.status == model::Known::absent) {
        observation = observed(facts, pack, member, "installed");
    }
    if (observation.status == model::Known::known) {
        return observation.value.as_string();
    }
    return tl::unexpected(
        Error{"plan.version",
              fmt::format("which release {} runs cannot be told: {}", member.name, show(observation)),
              "see that the member answers (drydock survey), then plan again",
              ErrorClass::transient});
}

// The side that clients are served by, if the cluster has sides and a fact tells; else empty.
std::string
serving_side(const Pack& pack, const model::Cluster& cluster, const model::FactBook& facts) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto entry = facts.find(spec.name);
        if (spec.binds != "serving" || !spec.role.empty() || entry == facts.end()) {
            continue;
        }
        const std::string& side = entry->second.value.as_string();
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
                                    const std::string& to_version) {
    const std::string side = serving_side(pack, cluster, facts);
    std::set<std::string> versions;
    for (const model::Member& member : cluster.members) {
        if (!side.empty() && !member.side.empty() && member.side != side) {
            continue;
        }
        DRYDOCK_TRY_ASSIGN(std::string version, runs_or_would(facts, pack, member));
        versions.insert(std::move(version));
    }
    std::vector<std::string> sorted(versions.begin(), versions.end());
    std::sort(sorted.begin(), sorted.end(), is_older);
    const bool forward = is_older(sorted.front(), to_version);
    const std::string reached = forward ? sorted.front() : sorted.back();
    return reached == to_version ? behind_level(pack, cluster, facts, to_version) : reached;
}

}  // namespace drydock::planner
