// Actions under way: what holds while they run, and which of them must be alone.
//
// A host tells when an action begins and when it ends or is cut off. What a `while` has changed
// stays, until an attempt of the same action succeeds.
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

// Keeps what was there before the first begin: a later attempt that succeeds brings that back.
void ModelledSystem::replace(const model::Effect& effect, Replaced& replaced) {
    if (effect.kind == model::EffectKind::becomes) {
        const std::string key = model::fact_key(effect.member, effect.name);
        replaced.facts.try_emplace(key, Replaced::Fact{value(key), {}});
        apply_fact(effect);
        replaced.facts[key].meanwhile = effect.value;
    } else if (stores_.find(effect.name) != nullptr) {
        replaced.stores.try_emplace(effect.name, Replaced::Store{stores_.save(effect.name), {}});
        apply_meanwhile(effect);
        replaced.stores[effect.name].meanwhile = stores_.save(effect.name);
    }
}

// While an action runs, a conversion has the format that the plan's target writes.
void ModelledSystem::apply_meanwhile(const model::Effect& effect) {
    const model::PlanStore* store = stores_.find(effect.name);
    const auto law = store->laws.find(plan_.to_version);
    if (effect.kind != model::EffectKind::raises && effect.kind != model::EffectKind::lowers) {
        apply_store(effect);
    } else if (law != store->laws.end()) {
        stores_.write(effect.name, law->second.writes);
    }
}

void ModelledSystem::begin(const std::string& id) {
    const model::Action* action = plan_.find(id);
    if (action == nullptr) {
        return;
    }
    check_alone(id, resources_of(*action));
    check_restarts(*action);
    ++in_flight_[id];
    if (action->meanwhile.empty()) {
        return;
    }
    change(id, [&] {
        for (const model::Effect& effect : action->meanwhile) {
            replace(effect, replaced_[id]);
        }
    });
    consider_laws("");
}

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

void ModelledSystem::end(const std::string& id) {
    const auto entry = in_flight_.find(id);
    if (entry != in_flight_.end() && --entry->second <= 0) {
        in_flight_.erase(entry);
    }
}

// What another step has changed meanwhile stays.
void ModelledSystem::put_back(const std::string& id) {
    const auto entry = replaced_.find(id);
    if (entry == replaced_.end()) {
        return;
    }
    for (const auto& [key, fact] : entry->second.facts) {
        if (value(key) == fact.meanwhile) {
            values_[key] = fact.before;
        }
    }
    for (const auto& [name, store] : entry->second.stores) {
        stores_.put_back(name, store.before, store.meanwhile);
    }
    replaced_.erase(entry);
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
