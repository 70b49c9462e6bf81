// The effects of actions, resolved to offsets and value indices.
//
// Effects on facts or stores that are not modelled are dropped. A member goes up or down by each
// action that writes its `running` fact. A restart does both.
#include "checker/model_builder.h"
#include "checker/store_effects.h"
#include "model/effect_kinds.h"

#include <algorithm>
#include <set>

namespace drydock::checker {

namespace {

using model::Verb;

// Events are kept with the last action first: expected_up() looks for the last one that is done.
void add_up_down_event(Model& model, std::size_t action, Offset offset, Byte value) {
    for (Member& member : model.members) {
        if (member.running == offset) {
            member.up_down_events.insert(member.up_down_events.begin(),
                                         {action, value != k_absent});
            model.actions[action].matters_if_skipped = true;
        }
    }
}

// True if an effect beside this one moves the store of which the fact tells the level. The fact
// follows it.
bool follows_store(const model::Plan& plan, std::size_t action, const model::Effect& effect) {
    const std::string key = model::fact_key(effect.member, effect.name);
    const auto& effects = plan.actions[action].effects;
    return std::any_of(plan.stores.begin(), plan.stores.end(), [&](const model::PlanStore& store) {
        return index_in(store.levels, key) != k_no_index
               && std::any_of(effects.begin(), effects.end(), [&](const model::Effect& other) {
                      return other.name == store.name && model::moves_store(other.kind);
                  });
    });
}

void add_write(Model& model, std::size_t action, const model::Effect& effect) {
    const auto place = model.offsets.find(model::fact_key(effect.member, effect.name));
    if (place == model.offsets.end()) {
        return;
    }
    const bool is_open = effect.kind == model::EffectKind::changes;
    if (is_open && follows_store(model.plan, action, effect)) {
        return;
    }
    const Byte value = is_open ? open_value(model) : index_of(model, effect.value);
    model.actions[action].writes.push_back({place->second, value});
    model.actions[action].moves_serving |= place->second == model.serving;
    add_up_down_event(model, action, place->second, value);
}

void add_effect(Model& model, std::size_t action, const model::Effect& effect) {
    ActionModel& act = model.actions[action];
    if (effect.kind == model::EffectKind::becomes || effect.kind == model::EffectKind::changes) {
        add_write(model, action, effect);
        return;
    }
    const Index store = store_named(model, effect.name);
    if (store == k_no_index) {
        return;
    }
    if (effect.kind == model::EffectKind::raises) {
        act.raises.push_back(store);
    } else if (effect.kind == model::EffectKind::lowers) {
        act.lowers.push_back(store);
    } else if (effect.kind == model::EffectKind::copies) {
        act.copies.push_back(store);
    } else if (effect.kind == model::EffectKind::destroys) {
        act.destroyed.push_back(store);
    }
}

void add_leaving(Model& model, std::size_t action, Index member) {
    model.actions[action].leaving.push_back(member);
    model.members[member].stopping_actions.push_back(action);
}

// Adds a member that is down while the action is under way.
void add_taken_down_meanwhile(Model& model, std::size_t action, const model::Effect& effect) {
    const auto place = model.offsets.find(model::fact_key(effect.member, effect.name));
    for (Index i = 0; i < model.members.size() && place != model.offsets.end(); ++i) {
        const bool is_it = model.members[i].running == place->second && effect.value.is_null()
                           && effect.kind == model::EffectKind::becomes;
        if (is_it && index_in(model.actions[action].leaving, i) == k_no_index) {
            add_leaving(model, action, i);
        }
    }
}

// Finds the members that an action starts or takes down: its own, and members with a `running` fact
// that it writes. A step of another verb that makes a member run a release restarts it.
void add_moved(Model& model, std::size_t action) {
    ActionModel& act = model.actions[action];
    const Verb verb = model.plan.actions[action].verb;
    const bool starts = verb == Verb::start || verb == Verb::restart;
    for (std::size_t i = 0; i < model.members.size(); ++i) {
        Member& member = model.members[i];
        const auto moves =
            std::find_if(act.writes.begin(), act.writes.end(), [&](const auto& write) {
                return write.offset == member.running;
            });
        const bool moved = moves != act.writes.end();
        const bool is_stopped = moved && moves->value == k_absent;
        const bool is_own = i == act.member;
        if (!is_stopped && ((starts && is_own) || moved)) {
            act.starting.push_back(i);
        }
        if ((verb == Verb::restart && is_own) || (moved && (is_stopped || verb != Verb::start))) {
            add_leaving(model, action, i);
        }
    }
    for (const model::Effect& effect : model.plan.actions[action].meanwhile) {
        add_taken_down_meanwhile(model, action, effect);
    }
    act.starts = !act.starting.empty();
    act.stops_members = !act.leaving.empty();
}

// Finds the votes that the action moves for the time that it is under way.
void add_votes_meanwhile(Model& model, std::size_t action) {
    ActionModel& act = model.actions[action];
    for (const model::Effect& effect : model.plan.actions[action].meanwhile) {
        const auto place = model.offsets.find(model::fact_key(effect.member, effect.name));
        for (const Member& member : model.members) {
            const bool is_open = effect.kind == model::EffectKind::changes;
            if (place != model.offsets.end() && place->second == member.voter
                && (is_open || effect.kind == model::EffectKind::becomes)) {
                act.votes_meanwhile.push_back(
                    {member.voter, is_open ? open_value(model) : index_of(model, effect.value)});
                model.lends_votes = true;
            }
        }
    }
}

// Finds the roles whose quorums the action may take: it takes members of them down, or moves votes.
void add_roles_short_of(Model& model, ActionModel& act) {
    std::set<Index> roles;
    for (const Index member : act.leaving) {
        roles.insert(model.members[member].role);
    }
    for (const auto* writes : {&act.writes, &act.votes_meanwhile}) {
        for (const Write& write : *writes) {
            for (const Member& member : model.members) {
                if (write.offset == member.voter) {
                    act.moves_votes = true;
                    roles.insert(member.role);
                }
            }
        }
    }
    act.roles_short_of.assign(roles.begin(), roles.end());
    model.moves_votes = model.moves_votes || act.moves_votes;
}

}  // namespace

Byte open_value(Model& model) {
    model.value_open = model.values.index_of({model::ObservationStatus::unknown, {}, "", 0});
    return model.value_open;
}

void add_effects(Model& model) {
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        const model::Action& action = model.plan.actions[i];
        for (const model::Effect& effect : action.effects) {
            add_effect(model, i, effect);
        }
        ActionModel& act = model.actions[i];
        add_moved(model, i);
        add_votes_meanwhile(model, i);
        add_roles_short_of(model, act);
        act.restores = action.verb == Verb::restore;
        act.destroys = action.verb == Verb::destroy || !act.destroyed.empty();
        act.moves_world = act.ran != k_no_offset || act.starts || act.restores || act.destroys
                          || !act.writes.empty() || !act.raises.empty() || !act.lowers.empty()
                          || !act.copies.empty();
        if (action.is_point_of_no_return) {
            act.matters_if_skipped = true;
            model.return_gates.push_back(i);
        }
    }
}

}  // namespace drydock::checker
