// Where the cluster stands: the release that its members run, and whether the last hop is over.
//
// A cluster whose members all run the new release may still have data at the old format. Its last
// hop is not over then, so the version it came from is found by the level: the newest release that
// writes the present format.
#include "model/version.h"
#include "planner/interpolation.h"
#include "planner/planner.h"
#include "planner/route_search.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::planner {

using model::Pack;

namespace {

// True if every member has a folder of the release: links need one.
bool is_at_hand(const model::Cluster& cluster, const std::string& release) {
    return std::all_of(
        cluster.members.begin(), cluster.members.end(), [&](const model::Member& member) {
            return member.versions.empty() || member.versions.contains(release);
        });
}

// Returns the level fact as one of the store's formats; empty if it is unknown, or none of them.
std::string format_at(const model::StoreSpec& store, const model::FactBook& facts) {
    const auto level = facts.find(store.level);
    if (level == facts.end() || level->second.status != model::ObservationStatus::known) {
        return {};
    }
    const std::string level_text = level->second.value.show();
    const auto position =
        std::find_if(store.formats.begin(), store.formats.end(), [&](const std::string& format) {
            return level_text == format || model::version_in_series(level_text, format);
        });
    return position == store.formats.end() ? "" : *position;
}

// True if the release writes that format of the store.
bool writes(const Pack& pack,
            const std::string& release,
            const std::string& store,
            const std::string& format) {
    const auto* law = law_of(pack, release, store);
    return law != nullptr && law->writes == format;
}

// Returns the version where the hop to `to_version` began, if a level that it would raise is still
// older. It is the newest release that writes that level, at hand if one is.
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

// Returns the member's first fact that is bound to the standard one; unknown if there is none.
model::Observation observed(const model::FactBook& facts,
                            const Pack& pack,
                            const model::Member& member,
                            model::StandardFact standard) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto entry = facts.find(model::fact_key(member.name, spec.name));
        if (spec.standard_fact == standard && entry != facts.end()) {
            return entry->second;
        }
    }
    return {model::ObservationStatus::unknown, {}, "was not read", 0};
}

// Returns the running release; for a member that is down, the release that would start.
Result<std::string>
runs_or_would(const model::FactBook& facts, const Pack& pack, const model::Member& member) {
    auto observation = observed(facts, pack, member, model::StandardFact::running);
    if (observation.status == model::ObservationStatus::absent) {
        observation = observed(facts, pack, member, model::StandardFact::installed);
    }
    if (observation.status == model::ObservationStatus::known) {
        return observation.value.as_string();
    }
    return tl::unexpected(Error{
        "plan.version",
        fmt::format("which release {} runs cannot be told: {}", member.name, to_text(observation)),
        "see that the member answers (drydock survey), then plan again",
        ErrorClass::transient});
}

// Returns the side that serves clients, if the cluster has sides and a fact tells; else empty.
std::string
serving_side(const Pack& pack, const model::Cluster& cluster, const model::FactBook& facts) {
    for (const model::FactSpec& spec : pack.facts) {
        const auto entry = facts.find(spec.name);
        if (spec.standard_fact != model::StandardFact::serving || !spec.role.empty()
            || entry == facts.end()) {
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

// Returns the cluster's version. If one side serves, members of the other side do not count: they
// may run any release.
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
