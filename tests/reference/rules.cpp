#include "reference/rules.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using checker::Property;
using model::Action;
using model::Effect;
using model::PlanStore;
using model::Verb;

bool copy_needed(const model::Plan& plan, const PlanStore& store) {
    const bool restorable =
        std::any_of(plan.ways_back.begin(), plan.ways_back.end(), [](const auto& way) {
            return way.kind == model::RecoveryKind::restore;
        });
    return restorable
           || std::any_of(plan.actions.begin(), plan.actions.end(), [&](const Action& action) {
                  return std::any_of(
                      action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
                          return effect.kind == model::EffectKind::copies
                                 && effect.name == store.name;
                      });
              });
}

}  // namespace

bool has_effect(const Action& action, model::EffectKind kind) {
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.kind == kind;
    });
}

bool destroys(const Action& action) {
    return action.verb == Verb::destroy || has_effect(action, model::EffectKind::destroys);
}

// What an action destroys must have a verified copy: the stores that it names, else any one.
void look_at_copies(const Model& model, const Action& action, const World& world, Broken& broken) {
    bool named = false;
    bool bare = false;
    for (const Effect& effect : action.effects) {
        const bool store = store_named(model, effect.name) != nullptr;
        if (effect.kind == model::EffectKind::destroys && store) {
            named = true;
            bare = bare || world.stores.copies.at(effect.name) != Copy::verified;
        }
    }
    const bool any = std::any_of(world.stores.copies.begin(),
                                 world.stores.copies.end(),
                                 [](const auto& copy) { return copy.second == Copy::verified; });
    if (destroys(action) && (bare || (!named && !any))) {
        broken.insert(Property::unverified_destroy);
    }
}

bool moves_serving(const Model& model, const Action& action) {
    const std::string key = model.key_of("", "serving");
    return std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& effect) {
        return effect.kind == model::EffectKind::becomes && !key.empty()
               && model::fact_key(effect.member, effect.name) == key;
    });
}

void note_writes(const Model& model, World& world) {
    const std::string key = model.key_of("", "serving");
    if (model.plan.procedure != "downgrade" && !key.empty() && takes_writes(model, world)
        && !(model.value(world, key).value == model.value(model.first, key).value)) {
        world.stores.written = true;
    }
}

void look_at_closing(const Model& model, const World& world, Broken& broken) {
    if (!is_approved(model, world)) {
        broken.insert(Property::unasked_return_point);
    }
    for (const Rise& rise : model.rises) {
        if (rise.closes && copy_needed(model.plan, *rise.store)
            && world.stores.copies.at(rise.store->name) != Copy::verified) {
            broken.insert(Property::unverified_destroy);
        }
    }
}

}  // namespace drydock::reference
