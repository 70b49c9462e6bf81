// The transitions of the model: effects of actions, laws and skew rules, resolved to offsets and
// value indices.
//
// Effects on facts or stores that are not modelled are dropped. A member goes up or down by each
// action that writes its `running` fact. A restart does both.
#include "checker/model_builder.h"
#include "checker/store_effects.h"
#include "model/version.h"

#include <algorithm>
#include <set>

namespace drydock::checker {

namespace {

using model::ObservationStatus;
using model::Verb;

Byte index_of(Model& model, const Json& value) {
    return model.values.index_of(
        {value.is_null() ? ObservationStatus::absent : ObservationStatus::known, value, "", 0});
}

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

void add_write(Model& model, std::size_t action, const model::Effect& effect) {
    const auto place = model.offsets.find(model::fact_key(effect.member, effect.name));
    if (place == model.offsets.end()) {
        return;
    }
    const Byte value = index_of(model, effect.value);
    model.actions[action].writes.push_back({place->second, value});
    model.actions[action].moves_serving |= place->second == model.serving;
    add_up_down_event(model, action, place->second, value);
}

void add_effect(Model& model, std::size_t action, const model::Effect& effect) {
    ActionModel& act = model.actions[action];
    if (effect.kind == model::EffectKind::becomes) {
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

// Finds the roles whose quorums the action may take: it takes members of them down, or moves votes.
void add_roles_short_of(Model& model, ActionModel& act) {
    std::set<Index> roles;
    for (const Index member : act.leaving) {
        roles.insert(model.members[member].role);
    }
    for (const Write& write : act.writes) {
        for (const Member& member : model.members) {
            if (write.offset == member.voter) {
                act.moves_votes = true;
                roles.insert(member.role);
            }
        }
    }
    act.roles_short_of.assign(roles.begin(), roles.end());
    model.moves_votes = model.moves_votes || act.moves_votes;
}

// Returns the values that mean this release.
std::uint64_t values_of_release(const Model& model, const std::string& release) {
    std::uint64_t set = 0;
    for (std::size_t i = 0; i < model.values.size(); ++i) {
        const model::Observation& value = model.values.at(i);
        if (value.status == ObservationStatus::known && value.value.is_string()
            && value.value.as_string() == release) {
            set |= 1ULL << i;
        }
    }
    return set;
}

// True if the law closes the way back: the old release cannot read the new format, and no command
// lowers it. Only upgrades have a way back to close.
bool closes_way_back(const model::Plan& plan, const Store& store, const std::string& release) {
    const auto old_support = store.laws.find(plan.from_version);
    const model::FormatSupport& law = store.laws.at(release);
    return release == plan.to_version && old_support != store.laws.end()
           && model::compare_versions(plan.from_version, plan.to_version) < 0
           && !is_listed(old_support->second.reads, law.writes) && !law.lowers_on_request;
}

// The law of one release for one store. A law that holds from the start is not the fault of this
// plan.
void add_rise(Model& model, Index index, const std::string& release) {
    const Store& store = model.stores[index];
    const model::FormatSupport& law = store.laws.at(release);
    const Index format = index_in(store.formats, law.writes);
    if (law.trigger == model::FormatTrigger::never || format == k_no_index) {
        return;
    }
    FormatTransition rise;
    rise.store = index;
    rise.role = store.role;
    rise.raises = law.trigger;
    rise.running_values = values_of_release(model, release);
    rise.becomes = to_byte(format);
    rise.blocks_downgrade = closes_way_back(model.plan, store, release);
    rise.alone = law.alone && store.is_shared && law.trigger == model::FormatTrigger::on_start;
    rise.holds_at_start =
        holds(model, rise, model.initial.data()) || is_risen(model, rise, model.initial.data());
    model.format_transitions.push_back(rise);
}

// The releases of a second axis have laws of their own; else those of the plan have.
std::vector<std::string> releases_with_laws(const Model& model, Index store) {
    if (model.stores[store].axis.empty()) {
        return {model.plan.from_version, model.plan.to_version};
    }
    std::vector<std::string> releases;
    for (const auto& [release, law] : model.stores[store].laws) {
        releases.push_back(release);
    }
    return releases;
}

// Finds the facts of the axis whose releases have the laws of the store.
void add_axis(Model& model, Index index) {
    const std::string& fact = model.plan.stores[index].read_by;
    for (Index i = 0; !fact.empty() && i < model.members.size(); ++i) {
        const auto place = model.offsets.find(model::fact_key(model.members[i].name, fact));
        model.stores[index].axis.push_back(place == model.offsets.end() ? k_no_offset
                                                                        : place->second);
    }
}

// A fact of a member reports the format of its own instance, any other fact that of all instances.
void add_levels(Model& model, std::size_t index) {
    Store& store = model.stores[index];
    for (const std::string& format : store.formats) {
        store.level_values.push_back(index_of(model, format));
    }
    const auto& owners = model.members_of[store.role];
    store.levels.resize(store.offset.size());
    for (const std::string& key : model.plan.stores[index].levels) {
        const auto place = model.offsets.find(key);
        const auto source = model.plan.sources.find(key);
        const std::string owner = source == model.plan.sources.end() ? "" : source->second.member;
        for (std::size_t i = 0; place != model.offsets.end() && i < store.offset.size(); ++i) {
            if (store.is_shared || owner.empty() || owner == model.members[owners[i]].name) {
                store.levels[i].push_back(place->second);
            }
        }
    }
}

// True if closing the way back needs a verified copy: the plan makes one, or names a restore.
bool copy_needed(const Model& model, Index store) {
    const bool restorable =
        std::any_of(model.plan.ways_back.begin(), model.plan.ways_back.end(), [](const auto& way) {
            return way.kind == model::RecoveryKind::restore;
        });
    return restorable
           || std::any_of(model.actions.begin(), model.actions.end(), [&](const ActionModel& act) {
                  return std::find(act.copies.begin(), act.copies.end(), store) != act.copies.end();
              });
}

}  // namespace

void add_effects(Model& model) {
    for (std::size_t i = 0; i < model.actions.size(); ++i) {
        const model::Action& action = model.plan.actions[i];
        for (const model::Effect& effect : action.effects) {
            add_effect(model, i, effect);
        }
        ActionModel& act = model.actions[i];
        add_moved(model, i);
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

void add_format_transitions(Model& model) {
    for (std::size_t i = 0; i < model.stores.size(); ++i) {
        model.stores[i].copy_needed = copy_needed(model, i);
        add_levels(model, i);
        add_axis(model, i);
        for (const std::string& release : releases_with_laws(model, i)) {
            if (model.stores[i].laws.contains(release)) {
                add_rise(model, i, release);
            }
        }
    }
}

// A rule concerns two pairs of releases: the newer one in one role beside the older one in the
// other, and the reverse. If the release lines are too far apart, both pairs are forbidden. Else
// only the newer release of the first role may be.
void add_skews(Model& model) {
    for (const model::SkewRule& rule : model.plan.skew) {
        const Index role = index_in(model.roles, rule.role);
        const Index other_role = index_in(model.roles, rule.peer_role);
        for (const bool newer : {false, true}) {
            const bool forward =
                model::compare_versions(model.plan.from_version, model.plan.to_version) < 0;
            const std::string& release =
                newer == forward ? model.plan.to_version : model.plan.from_version;
            const std::string& other_release =
                newer == forward ? model.plan.from_version : model.plan.to_version;
            const bool apart = model.plan.max_skew > rule.max_skew;
            if (role != k_no_index && other_role != k_no_index
                && (apart || (newer && !rule.newer))) {
                model.skews.push_back({role,
                                       other_role,
                                       values_of_release(model, release),
                                       values_of_release(model, other_release),
                                       &rule});
            }
        }
    }
}

}  // namespace drydock::checker
