#include "reference/half_done.h"

#include "reference/members.h"
#include "reference/stores.h"

namespace drydock::reference {

namespace {

using model::Effect;

Before all_that_changes(const Model& model, std::size_t index, const World& world) {
    Before before;
    for (const Effect& effect : model.plan.actions[index].meanwhile) {
        const model::PlanStore* store = store_named(model, effect.name);
        if (effect.kind == model::EffectKind::becomes) {
            const std::string key = model::fact_key(effect.member, effect.name);
            if (const std::size_t* place = model.place_of(key)) {
                before.facts.emplace(key, world.facts[*place]);
            }
        } else if (store != nullptr) {
            for (const std::string& instance : touched(model, *store, effect)) {
                before.formats.emplace(instance, world.stores.formats.at(instance));
            }
        }
    }
    return before;
}

// What somebody else has changed meanwhile stays.
void put_back_fact(Model& model, const Effect& effect, const Before& before, World& world) {
    const std::string key = model::fact_key(effect.member, effect.name);
    const auto value = before.facts.find(key);
    if (value == before.facts.end()) {
        return;
    }
    const bool untouched = effect.value.is_null()
                               ? model.value(world, key).status == model::ObservationStatus::absent
                               : model.is(world, key, effect.value);
    if (untouched) {
        world.facts[*model.place_of(key)] = value->second;
    }
}

void put_back_store(Model& model, const Effect& effect, const Before& before, World& world) {
    const model::PlanStore* store = store_named(model, effect.name);
    if (store == nullptr) {
        return;
    }
    for (const std::string& instance : touched(model, *store, effect)) {
        if (world.stores.formats.at(instance) == format_meanwhile(model, effect)) {
            set_format(model, *store, instance, before.formats.at(instance), world);
        }
    }
}

}  // namespace

void begin_half_done(Model& model, std::size_t index, World& world) {
    const auto& effects = model.plan.actions[index].meanwhile;
    if (effects.empty()) {
        return;
    }
    world.half_done.try_emplace(index, all_that_changes(model, index, world));
    for (const Effect& effect : effects) {
        if (effect.kind == model::EffectKind::becomes) {
            model.set(world, model::fact_key(effect.member, effect.name), effect.value);
        } else {
            apply_store_meanwhile(model, effect, world);
        }
    }
    settle(model, world);
}

void take_back_half_done(Model& model, std::size_t index, World& world) {
    const auto found = world.half_done.find(index);
    if (found == world.half_done.end()) {
        return;
    }
    const Before before = found->second;
    world.half_done.erase(found);
    for (const Effect& effect : model.plan.actions[index].meanwhile) {
        if (effect.kind == model::EffectKind::becomes) {
            put_back_fact(model, effect, before, world);
        } else {
            put_back_store(model, effect, before, world);
        }
    }
}

void never_begin(Model& model, std::size_t index, World& world) {
    const auto found = world.half_done.find(index);
    if (found != world.half_done.end() && !found->second.cut_off) {
        take_back_half_done(model, index, world);
        settle(model, world);
    }
}

void cut_off(std::size_t index, World& world) {
    const auto found = world.half_done.find(index);
    if (found != world.half_done.end()) {
        found->second.cut_off = true;
    }
}

}  // namespace drydock::reference
