// Actions under way: what holds while they run.
//
// A host tells when an action begins and when it ends or is cut off. What a `while` has changed
// stays, until an attempt of the same action succeeds.
#include "model/effect_kinds.h"
#include "sim/modelled_system.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::sim {

namespace {

bool is_same_format(const StoreInstance& one, const StoreInstance& other) {
    return one.format == other.format && one.is_destroyed == other.is_destroyed;
}

// True if the effect concerns the member's own instance only, if the store has one for each.
bool is_of_owner(const model::Effect& effect) {
    return effect.own || effect.kind == model::EffectKind::destroys
           || effect.kind == model::EffectKind::restores;
}

}  // namespace

// Returns what was there before the first of the actions that hold this value. Where another step
// has changed it since, nobody holds it any more.
Json ModelledSystem::fact_before(const std::string& id,
                                 const std::string& key,
                                 const Json& meanwhile) {
    Json before = value(key);
    const bool is_as_left = before == meanwhile;
    for (auto& [other, replaced] : replaced_) {
        const auto held = replaced.facts.find(key);
        if (other == id || held == replaced.facts.end() || held->second.meanwhile != meanwhile) {
            continue;
        }
        if (is_as_left) {
            before = held->second.before;
        } else {
            replaced.facts.erase(held);
        }
    }
    return before;
}

// The same for an instance of a store; `replaced` has its format right before and after the begin.
StoreInstance ModelledSystem::format_before(const std::string& id,
                                            const InstanceOfStore& place,
                                            const Replaced::Instance& replaced) {
    StoreInstance before = replaced.before;
    const bool is_as_left = is_same_format(replaced.before, replaced.meanwhile);
    for (auto& [other, others] : replaced_) {
        const auto held = others.instances.find(place);
        if (other == id || held == others.instances.end()
            || !is_same_format(held->second.meanwhile, replaced.meanwhile)) {
            continue;
        }
        if (is_as_left) {
            before = held->second.before;
        } else {
            others.instances.erase(held);
        }
    }
    return before;
}

bool ModelledSystem::holds_another(const std::string& id,
                                   const std::string& key,
                                   const Json& meanwhile) const {
    return std::any_of(replaced_.begin(), replaced_.end(), [&](const auto& entry) {
        const auto held = entry.second.facts.find(key);
        return entry.first != id && held != entry.second.facts.end()
               && held->second.meanwhile == meanwhile;
    });
}

bool ModelledSystem::holds_another(const std::string& id,
                                   const InstanceOfStore& place,
                                   const StoreInstance& meanwhile) const {
    return std::any_of(replaced_.begin(), replaced_.end(), [&](const auto& entry) {
        const auto held = entry.second.instances.find(place);
        return entry.first != id && held != entry.second.instances.end()
               && is_same_format(held->second.meanwhile, meanwhile);
    });
}

// Returns the facts that get the value of an effect. A fact that is derived as one of its inputs
// has no value of its own, so its inputs stand for it.
std::vector<std::string> ModelledSystem::carriers_of(const std::string& key) const {
    const auto source = plan_.sources.find(key);
    const bool is_copy = source != plan_.sources.end() && source->second.is_derived()
                         && !model::is_arithmetic(source->second.derive);
    return is_copy ? source->second.inputs : std::vector{key};
}

// Keeps what was there before the first begin: a later attempt that succeeds brings that back.
void ModelledSystem::replace(const model::Effect& effect, const std::string& id) {
    if (effect.kind != model::EffectKind::becomes) {
        replace_format(effect, id);
        return;
    }
    for (const std::string& key : carriers_of(model::fact_key(effect.member, effect.name))) {
        if (!replaced_[id].facts.contains(key)) {
            const Json before = fact_before(id, key, effect.value);
            replaced_[id].facts[key] = {before, effect.value};
        }
    }
    apply_fact(effect);
}

void ModelledSystem::replace_format(const model::Effect& effect, const std::string& id) {
    if (stores_.find(effect.name) == nullptr) {
        return;
    }
    const auto before = stores_.save(effect.name);
    apply_meanwhile(effect);
    const auto meanwhile = stores_.save(effect.name);
    const std::string owner = is_of_owner(effect) ? effect.member : "";
    for (std::size_t i = 0; i < before.size(); ++i) {
        const InstanceOfStore place = {effect.name, i};
        if (stores_.is_of(effect.name, i, owner) && !replaced_[id].instances.contains(place)) {
            const StoreInstance first = format_before(id, place, {before[i], meanwhile[i]});
            replaced_[id].instances[place] = {first, meanwhile[i]};
        }
    }
}

// While an action runs, a conversion has the format that the plan's target writes.
void ModelledSystem::apply_meanwhile(const model::Effect& effect) {
    const model::PlanStore* store = stores_.find(effect.name);
    const auto law = store->laws.find(plan_.to_version);
    if (!model::converts(effect.kind)) {
        apply_store(effect);
    } else if (law != store->laws.end()) {
        stores_.write(effect.name, effect.own ? effect.member : "", law->second.writes);
    }
}

// A member that is down already stays down at the end, too: nothing ran before.
void ModelledSystem::take_down_meanwhile(const model::Action& action) {
    Names leaving;
    for (const model::Effect& effect : action.meanwhile) {
        if (!moves_member(effect) || !effect.value.is_null()) {
            continue;
        }
        if (const Member& member = members_.at(effect.member); member.is_up) {
            leaving.insert(effect.member);
        } else {
            values_[member.running] = {};
        }
    }
    if (!leaving.empty()) {
        take_down(leaving, action);
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
    const bool is_judged = changes_votes(action->meanwhile);
    const Groups kept = is_judged ? kept_quorums() : Groups();
    const bool is_again = replaced_.contains(id);
    replaced_[id].is_again = is_again;
    change(id, [&] {
        take_down_meanwhile(*action);
        for (const model::Effect& effect : action->meanwhile) {
            replace(effect, id);
        }
    });
    if (is_judged) {
        check_quorum(kept, *action);
    }
    consider_laws("");
}

void ModelledSystem::end(const std::string& id) {
    const auto entry = in_flight_.find(id);
    if (entry != in_flight_.end() && --entry->second <= 0) {
        in_flight_.erase(entry);
    }
}

// What another step has changed meanwhile stays; so does what another action still holds.
std::map<std::string, Json> ModelledSystem::put_back(const std::string& id) {
    std::map<std::string, Json> returning;
    const auto entry = replaced_.find(id);
    if (entry == replaced_.end()) {
        return returning;
    }
    for (const auto& [key, fact] : entry->second.facts) {
        if (value(key) != fact.meanwhile || holds_another(id, key, fact.meanwhile)) {
            continue;
        }
        const auto member = std::find_if(members_.begin(), members_.end(), [&](const auto& one) {
            return one.second.running == key;
        });
        if (member != members_.end() && fact.meanwhile.is_null()) {
            returning[member->first] = fact.before;
        } else {
            values_[key] = fact.before;
        }
    }
    for (const auto& [place, instance] : entry->second.instances) {
        const StoreInstance now = stores_.save(place.first)[place.second];
        if (is_same_format(now, instance.meanwhile)
            && !holds_another(id, place, instance.meanwhile)) {
            stores_.put_back(place.first, place.second, instance.before);
        }
    }
    replaced_.erase(entry);
    std::erase_if(returning, [](const auto& one) { return one.second.is_null(); });
    return returning;
}

// They start on what is installed. Of a member that an effect moves, the effect tells what becomes
// of it.
void ModelledSystem::bring_back(const model::Action& action,
                                const std::map<std::string, Json>& members) {
    Names names;
    for (const auto& [name, ran] : members) {
        const auto moves_it = [&](const model::Effect& effect) {
            return effect.member == name && moves_member(effect);
        };
        if (!members_.at(name).is_up
            && std::none_of(action.effects.begin(), action.effects.end(), moves_it)) {
            names.insert(name);
        }
    }
    if (names.empty()) {
        return;
    }
    check_newest(names);
    for (const std::string& name : names) {
        Member& member = members_.at(name);
        start_member(name, member, release_at_start(member, members.at(name)), Cause::plan);
    }
}

void ModelledSystem::undo_half_done(const Json& halt) {
    const std::string& cause = halt["cause"].as_string();
    std::vector<std::string> undone;
    for (const auto& [id, replaced] : replaced_) {
        const bool is_named =
            std::any_of(replaced.facts.begin(), replaced.facts.end(), [&](const auto& fact) {
                return cause.find(fact.first) != std::string::npos;
            });
        if (halt.contains("action") && is_named && !in_flight_.contains(id)) {
            undone.push_back(id);
        }
    }
    for (const std::string& id : undone) {
        change("the repair of what " + id + " left", [&] {
            for (const auto& [name, ran] : put_back(id)) {
                Member& member = members_.at(name);
                start_member(name, member, release_at_start(member, ran), Cause::person);
            }
        });
    }
}

void ModelledSystem::undo_begin(const std::string& id) {
    const auto entry = replaced_.find(id);
    if (entry == replaced_.end() || entry->second.is_again) {
        return;
    }
    change(id, [&] {
        for (const auto& [name, ran] : put_back(id)) {
            Member& member = members_.at(name);
            values_[member.running] = ran;
            member.is_up = true;
            member.ready_at_ms = now_ms_;
        }
    });
    consider_laws("");
}

}  // namespace drydock::sim
