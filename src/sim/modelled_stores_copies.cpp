// What becomes of stores and their copies: destroyed, copied, restored, and put back as they were
// where an action was cut off.
#include "sim/modelled_stores.h"

#include <algorithm>
#include <optional>

namespace drydock::sim {

using model::PlanStore;

void ModelledStores::destroy(const std::string& store, const std::string& member) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        tell(plan_store, instance, std::nullopt);
    });
}

// A copy remembers the format that the store has now, also that of a destroyed one.
void ModelledStores::copy(const std::string& store) {
    for_each_of(store, [&](const PlanStore& plan_store, StoreInstance& instance) {
        instance.has_copy = true;
        instance.copied_format.reset();
        if (!instance.is_destroyed) {
            instance.copied_format = format_of(plan_store, instance);
        }
    });
}

// Returns the copy of this instance, else that of another one. Nothing: there is none.
const StoreInstance* ModelledStores::copy_for(const std::string& store,
                                              const StoreInstance& instance) const {
    if (instance.has_copy) {
        return &instance;
    }
    const auto& instances = instances_.at(store);
    const auto copied =
        std::find_if(instances.begin(), instances.end(), [](const StoreInstance& candidate) {
            return candidate.has_copy;
        });
    return copied == instances.end() ? nullptr : &*copied;
}

// What is destroyed and has no copy of this plan gets one of an earlier run, in the format that the
// plan's target writes.
void ModelledStores::restore(const std::string& store, const std::string& member) {
    for_own(store, member, [&](const PlanStore& plan_store, StoreInstance& instance) {
        const auto law = plan_store.laws.find(plan_.to_version);
        if (const StoreInstance* copied = copy_for(store, instance)) {
            const auto format = copied->copied_format;
            tell(plan_store, instance, format);
        } else if (instance.is_destroyed && law != plan_store.laws.end()) {
            tell(plan_store, instance, law->second.writes);
        }
    });
}

void ModelledStores::restore_all() {
    for (const PlanStore& store : plan_.stores) {
        if (copy_for(store.name, {}) != nullptr) {
            restore(store.name, "");
        }
    }
}

std::vector<StoreInstance> ModelledStores::save(const std::string& store) const {
    const auto entry = instances_.find(store);
    std::vector<StoreInstance> saved =
        entry == instances_.end() ? std::vector<StoreInstance>() : entry->second;
    const PlanStore* plan_store = find(store);
    for (StoreInstance& instance : saved) {
        instance.format = format_of(*plan_store, instance);
    }
    return saved;
}

// Only the format comes back: copies that were made since stay.
void ModelledStores::put_back(const std::string& store,
                              std::size_t index,
                              const StoreInstance& before) {
    const PlanStore* plan_store = find(store);
    if (plan_store != nullptr) {
        tell(*plan_store,
             instances_[store][index],
             before.is_destroyed ? std::nullopt : std::optional(before.format));
    }
}

}  // namespace drydock::sim
