#include "reference/half_done.h"

#include "reference/members.h"
#include "reference/stores.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Effect;

// A place that a `while` changes: a fact or an instance of a store, and the value that it has then.
struct Place {
    std::string name;
    int value = 0;
    bool is_format = false;

    auto operator<=>(const Place&) const = default;
};

// The last value counts where a `while` names a place twice.
std::vector<Place> places_of(Model& model, std::size_t index) {
    std::vector<Place> places;
    for (const Effect& effect : model.plan.actions[index].meanwhile) {
        const model::PlanStore* store = store_named(model, effect.name);
        const std::string key = model::fact_key(effect.member, effect.name);
        if (effect.kind == model::EffectKind::becomes && model.has(key)) {
            World probe = model.first;
            model.set(probe, key, effect.value);
            places.push_back({key, probe.facts[*model.place_of(key)], false});
        } else if (effect.kind == model::EffectKind::changes && model.has(key)) {
            World probe = model.first;
            model.leave_open(probe, key);
            places.push_back({key, probe.facts[*model.place_of(key)], false});
        } else if (effect.kind != model::EffectKind::becomes
                   && effect.kind != model::EffectKind::changes && store != nullptr) {
            const int format = format_meanwhile(model, effect);
            for (const std::string& instance : touched(model, *store, effect)) {
                if (format != k_no_format) {
                    places.push_back({instance, format, true});
                }
            }
        }
    }
    return places;
}

int value_at(const Model& model, const Place& place, const World& world) {
    return place.is_format ? world.stores.formats.at(place.name)
                           : world.facts[*model.place_of(place.name)];
}

void put(Model& model, const Place& place, int value, World& world) {
    if (place.is_format) {
        const std::string store = place.name.substr(0, place.name.find('/'));
        set_format(model, *store_named(model, store), place.name, value, world);
    } else {
        world.facts[*model.place_of(place.name)] = value;
    }
}

std::map<std::string, Saved>& saved_by(Before& before, const Place& place) {
    return place.is_format ? before.formats : before.facts;
}

// The other actions that gave the place this value, and have not ended well.
std::vector<std::size_t>
others_at(Model& model, std::size_t index, const Place& place, World& world) {
    std::vector<std::size_t> others;
    for (auto& [other, before] : world.half_done) {
        const auto places = places_of(model, other);
        const bool is_same = std::find(places.begin(), places.end(), place) != places.end();
        if (other != index && is_same && saved_by(before, place).contains(place.name)) {
            others.push_back(other);
        }
    }
    return others;
}

// What was there before the first of the actions that hold the place. Where somebody else has
// changed it since, nobody holds it any more.
int value_before(Model& model, std::size_t index, const Place& place, World& world) {
    int value = value_at(model, place, world);
    const bool is_held = value == place.value;
    for (const std::size_t other : others_at(model, index, place, world)) {
        auto& saved = saved_by(world.half_done.at(other), place);
        if (is_held) {
            value = saved.at(place.name).value;
        } else {
            saved.erase(place.name);
        }
    }
    return value;
}

void save(Model& model, std::size_t index, const Place& place, World& world) {
    auto& saved = saved_by(world.half_done[index], place);
    const auto found = saved.find(place.name);
    if (found != saved.end()) {
        found->second.again = true;
    } else {
        const int value = value_before(model, index, place, world);
        saved_by(world.half_done[index], place)[place.name] = {value, false};
    }
}

// The member that is down while the place has its value; empty: none is.
std::string held_down(const Model& model, const Place& place) {
    const auto owner = place.is_format ? model.owners().end() : model.owners().find(place.name);
    World probe = model.first;
    if (owner == model.owners().end() || owner->second.empty()
        || place.name != model.key_of(owner->second, "running")) {
        return "";
    }
    probe.facts[*model.place_of(place.name)] = place.value;
    return model.is_down(probe, owner->second) ? owner->second : "";
}

// What somebody else has changed meanwhile stays; so does what another action still holds. Members
// are put back as running; returns whom that concerns.
std::string take_back(Model& model, std::size_t index, const Place& place, World& world) {
    auto& saved = saved_by(world.half_done.at(index), place);
    const auto found = saved.find(place.name);
    if (found == saved.end()) {
        return "";
    }
    const int before = found->second.value;
    saved.erase(found);
    if (value_at(model, place, world) == place.value
        && others_at(model, index, place, world).empty()) {
        put(model, place, before, world);
        return before == place.value ? "" : held_down(model, place);
    }
    return "";
}

bool names_running(const Model& model, const model::Action& action, const std::string& member) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.member == member && !member.empty()
               && model::fact_key(member, effect.name) == model.key_of(member, "running");
    });
}

}  // namespace

void begin_half_done(Model& model, std::size_t index, World& world) {
    const auto places = places_of(model, index);
    for (const Place& place : places) {
        save(model, index, place, world);
        const std::string member = held_down(model, place);
        if (!member.empty() && model.is_up(world, member)) {
            take_down(model, {member}, world);
        }
        put(model, place, place.value, world);
    }
    if (!model.plan.actions[index].meanwhile.empty()) {
        settle(model, world);
    }
}

std::map<std::string, std::string>
take_back_half_done(Model& model, std::size_t index, World& world) {
    std::map<std::string, std::string> back;
    if (!world.half_done.contains(index)) {
        return back;
    }
    for (const Place& place : places_of(model, index)) {
        const std::string member = take_back(model, index, place, world);
        if (member.empty()) {
            continue;
        }
        if (!names_running(model, model.plan.actions[index], member)) {
            back[member] = model.runs(world, member);
        }
        put(model, place, place.value, world);  // it is down until its start
    }
    world.half_done.erase(index);
    return back;
}

void end_claims_on(const Model& model, const std::string& member, World& world) {
    for (auto& [index, before] : world.half_done) {
        const auto saved = before.facts.find(model.key_of(member, "running"));
        if (saved != before.facts.end()) {
            saved->second.again = true;
        }
    }
}

void never_begin(Model& model, std::size_t index, World& world) {
    const auto found = world.half_done.find(index);
    if (found == world.half_done.end()) {
        return;
    }
    for (const Place& place : places_of(model, index)) {
        const auto& saved = saved_by(found->second, place);
        const auto here = saved.find(place.name);
        if (here != saved.end() && !here->second.again) {
            const std::string member = take_back(model, index, place, world);
            if (!member.empty()) {
                model.set(world, model.key_of(member, "ready"), Json(true));
                model.set(world, model.key_of(member, "service"), Json("running"));
            }
        }
    }
    if (found->second.facts.empty() && found->second.formats.empty()) {
        world.half_done.erase(found);
    }
    settle(model, world);
}

}  // namespace drydock::reference
