// Which actions may not be under way together: those that must be alone, and restarts that take a
// quorum.
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

// Returns the members that the action takes down and brings up again.
ModelledSystem::Names ModelledSystem::restarted_by(const model::Action& action) const {
    Names names;
    for (const auto& [name, release] : starting_members(action)) {
        if (action.verb != model::Verb::start && members_.at(name).is_up) {
            names.insert(name);
        }
    }
    return names;
}

// Restarts that are under way together may have all of their members down at the same time.
void ModelledSystem::check_restarts(const model::Action& action) {
    Names restarted;
    for (const auto& [other, count] : in_flight_) {
        restarted.merge(other == action.id ? Names() : restarted_by(*plan_.find(other)));
    }
    const Names own = restarted_by(action);
    if (!own.empty() && !restarted.empty()) {
        const Groups before = kept_quorums(restarted);
        restarted.insert(own.begin(), own.end());
        check_quorum(before, action, restarted);
    }
}

// Returns the stores that a start of the member raises, if such starts must be alone.
ModelledSystem::Names ModelledSystem::alone_stores(const Member& member) const {
    Names stores;
    const Json release = release_at_start(member, {});
    for (const model::PlanStore& store : plan_.stores) {
        const auto law = store.laws.find(release.is_string() ? release.as_string() : "");
        const auto& roles = store.opened_by;
        if (law != store.laws.end() && law->second.alone && store.shared
            && law->second.trigger == model::FormatTrigger::on_start
            && std::find(roles.begin(), roles.end(), member.role) != roles.end()
            && stores_.can_rise(store.name, law->second.writes)) {
            stores.insert(store.name);
        }
    }
    return stores;
}

ModelledSystem::Names ModelledSystem::resources_of(const model::Action& action) const {
    Names resources(action.alone.begin(), action.alone.end());
    for (const auto& [name, release] : starting_members(action)) {
        resources.merge(alone_stores(members_.at(name)));
    }
    return resources;
}

void ModelledSystem::check_alone(const std::string& subject, const Names& resources) {
    for (const auto& [other, count] : in_flight_) {
        const Names used = resources_of(*plan_.find(other));
        for (const std::string& resource : resources) {
            if (other != subject && used.contains(resource)) {
                record_violation(
                    "alone",
                    fmt::format("{} begins while {} is under way, and each must be alone on {}",
                                subject,
                                other,
                                resource));
            }
        }
    }
}

}  // namespace drydock::sim
