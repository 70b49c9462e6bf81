#include "reference/half_done.h"

#include "reference/members.h"
#include "reference/stores.h"

namespace drydock::reference {

namespace {

using model::Effect;

void keep_fact(const Model& model, const std::string& key, const World& world, Before& before) {
    if (const auto place = model.place_of(key)) {
        before.facts.emplace(key, world.facts[*place]);
    }
}

void keep_store(const Model& model,
                const model::PlanStore& store,
                const Effect& effect,
                const World& world,
                Before& before) {
    for (const std::string& instance : touched(model, store, effect)) {
        before.formats.emplace(instance, world.stores.formats.at(instance));
        for (const std::string& key : model.keys_about(instance, store.levels)) {
            keep_fact(model, key, world, before);
        }
    }
}

Before all_that_changes(const Model& model, std::size_t index, const World& world) {
    Before before;
    for (const Effect& effect : model.plan.actions[index].meanwhile) {
        const model::PlanStore* store = store_named(model, effect.name);
        if (effect.kind == model::EffectKind::becomes) {
            keep_fact(model, model::fact_key(effect.member, effect.name), world, before);
        } else if (store != nullptr) {
            keep_store(model, *store, effect, world, before);
        }
    }
    return before;
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
            apply_store_effect(model, effect, world);
        }
    }
    settle(model, world);
}

void take_back_half_done(Model& model, std::size_t index, World& world) {
    const auto found = world.half_done.find(index);
    if (found == world.half_done.end()) {
        return;
    }
    for (const auto& [key, value] : found->second.facts) {
        world.facts[*model.place_of(key)] = value;
    }
    for (const auto& [instance, format] : found->second.formats) {
        world.stores.formats[instance] = format;
    }
    world.half_done.erase(found);
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
