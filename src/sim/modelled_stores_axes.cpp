// Stores that are read by the release of an axis (a library, an image, an operating system): the
// formats that its releases write.
#include "model/version.h"
#include "sim/modelled_stores.h"

#include <algorithm>
#include <set>

namespace drydock::sim {

using model::PlanStore;

// Returns the format that the owner's release of the axis writes; of a shared store, that of all
// members of its role. Empty: they differ, or it is not known.
std::string ModelledStores::written_by_axis(const PlanStore& store,
                                            const std::string& owner) const {
    std::set<std::string> formats;
    for (const std::string& release : releases_of_axis(store, owner)) {
        const auto law = store.laws.find(release);
        formats.insert(law == store.laws.end() ? "" : law->second.writes);
    }
    return formats.size() == 1 ? *formats.begin() : "";
}

std::vector<std::string> ModelledStores::releases_of_axis(const PlanStore& store,
                                                          const std::string& owner) const {
    const auto members = plan_.roster()[store.role];
    std::vector<std::string> releases;
    for (const std::string& member : members) {
        if (owner.empty() || owner == member) {
            releases.push_back(release_of(store, {.member = member}));
        }
    }
    return releases;
}

bool ModelledStores::has_law(const PlanStore& store,
                             const StoreInstance& instance,
                             const std::string& series) const {
    const auto releases = store.read_by.empty() ? std::vector<std::string>()
                                                : releases_of_axis(store, instance.owner);
    return store.read_by.empty()
           || std::any_of(releases.begin(), releases.end(), [&](const std::string& release) {
                  return model::version_in_series(release, series);
              });
}

std::string ModelledStores::newest_of_axis(const PlanStore& store, const std::string& owner) const {
    std::string newest;
    for (const std::string& release : releases_of_axis(store, owner)) {
        const auto law = store.laws.find(release);
        const std::string format = law == store.laws.end() ? "" : law->second.writes;
        const bool is_newer =
            newest.empty() || (!format.empty() && rank_of(store, format) > rank_of(store, newest));
        newest = is_newer ? format : newest;
    }
    return newest;
}

void ModelledStores::make_anew_by_axis(const std::string& store, const std::string& member) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        const std::string format =
            plan_store.read_by.empty() ? "" : newest_of_axis(plan_store, instance.owner);
        if (instance.is_destroyed && !format.empty()) {
            tell(plan_store, instance, format);
        }
    });
}

}  // namespace drydock::sim
