// Copies of stores that members leave behind: clean or not, current or stale.
//
// A member that runs makes its store unclean, and its stop makes it clean. Where the last member
// that stopped has the newest copy, starting from an older one loses writes.
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

// A store that is found unclean while nobody runs was left so by the old release. A copy that is
// found on a member that is down is stale if another one runs.
void ModelledSystem::know_stores() {
    for (const model::PlanStore& store : plan_.stores) {
        const bool any_up = is_current_up(store, {});
        stores_.for_each_of(store.name, [&](const model::PlanStore&, StoreInstance& instance) {
            for (const std::string& key : store.clean_stop) {
                const auto source = plan_.sources.find(key);
                const bool is_own = source == plan_.sources.end() || instance.owner.empty()
                                    || source->second.member == instance.owner;
                if (is_own && value(key) == Json(false)) {
                    instance.unclean_by = plan_.from_version;
                }
            }
            const auto owner = members_.find(instance.owner);
            instance.is_stale = store.newest_last_stopped && owner != members_.end()
                                && !owner->second.is_up && any_up;
        });
    }
    update_stores();
}

// While members run that open a store, it is unclean by the release of the last of them in the
// plan's order. A stale copy is current again once it runs beside a current one.
void ModelledSystem::update_stores() {
    for (const model::PlanRole& plan_role : plan_.roles) {
        for (const std::string& name : plan_role.members) {
            const Member& member = members_.at(name);
            if (member.is_up && !member.running.empty()) {
                stores_.note_running(reader(name, member));
            }
        }
    }
    for (const model::PlanStore& store : plan_.stores) {
        if (!store.newest_last_stopped || !is_current_up(store, {})) {
            continue;
        }
        stores_.for_each_of(store.name, [&](const model::PlanStore&, StoreInstance& instance) {
            const auto owner = members_.find(instance.owner);
            instance.is_stale =
                instance.is_stale && (owner == members_.end() || !owner->second.is_up);
        });
    }
}

// True if a member runs whose copy is current, besides those that are left out.
bool ModelledSystem::is_current_up(const model::PlanStore& store, const Names& excluded) {
    bool is_up = false;
    stores_.for_each_of(store.name, [&](const model::PlanStore&, const StoreInstance& instance) {
        const auto owner = members_.find(instance.owner);
        is_up = is_up
                || (owner != members_.end() && owner->second.is_up && !instance.is_stale
                    && !excluded.contains(instance.owner));
    });
    return is_up;
}

// A member that goes down while another one runs on and clients are let in has a stale
// copy.
void ModelledSystem::mark_stale(const Names& leaving) {
    if (!admits_clients()) {
        return;
    }
    for (const model::PlanStore& store : plan_.stores) {
        if (!store.newest_last_stopped) {
            continue;
        }
        stores_.for_each_of(store.name, [&](const model::PlanStore&, StoreInstance& instance) {
            const auto owner = members_.find(instance.owner);
            if (leaving.contains(instance.owner) && owner->second.is_up) {
                instance.is_stale = instance.is_stale || running_in(store.role, leaving) > 0;
            }
        });
    }
}

// Starts of one step happen together: a current copy among them is enough.
void ModelledSystem::check_newest(const Names& starting) {
    for (const model::PlanStore& store : plan_.stores) {
        if (!store.newest_last_stopped || is_current_up(store, {})) {
            continue;
        }
        std::string stale;
        bool current_starts = false;
        bool current_is_down = false;
        stores_.for_each_of(
            store.name, [&](const model::PlanStore&, const StoreInstance& instance) {
                const bool starts = starting.contains(instance.owner);
                stale = starts && instance.is_stale ? instance.owner : stale;
                current_starts = current_starts || (starts && !instance.is_stale);
                current_is_down = current_is_down || (!starts && !instance.is_stale);
            });
        if (!stale.empty() && !current_starts && current_is_down) {
            record_violation(
                "lost-writes",
                fmt::format("{} starts with an older copy of {} while the newest is down",
                            stale,
                            store.name));
        }
    }
}

}  // namespace drydock::sim
