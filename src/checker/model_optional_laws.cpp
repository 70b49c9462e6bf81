// The laws that few plans use, resolved to offsets and value indices: readable formats, half-done
// effects, actions that must be alone, groups of members, temporary facts.
//
// docs/design/0014 gives their meaning. A plan without such a law gets no byte for it, and the
// flags at the end of a Model keep its checks out of the search.
#include "checker/member_effects.h"
#include "checker/model_builder.h"

#include <algorithm>
#include <map>

namespace drydock::checker {

namespace {

using model::EffectKind;
using model::ObservationStatus;
using model::QuorumKind;

Index member_named(const Model& model, const std::string& name) {
    const auto member =
        std::find_if(model.members.begin(), model.members.end(), [&](const Member& candidate) {
            return candidate.name == name;
        });
    return member == model.members.end() ? k_no_index
                                         : distance_between(model.members.begin(), member);
}

// True if the effect of a member's step is about its own instance, if the store has one for each
// member. Other conversions are of the whole store.
bool is_of_owner(const model::Effect& effect) {
    return effect.own || effect.kind == EffectKind::destroys || effect.kind == EffectKind::restores;
}

// Returns the member's own instance, if the store has one for each member; else all instances.
std::vector<Instance>
instances_of(const Model& model, const std::string& name, const std::string& member) {
    const Index store = store_named(model, name);
    if (store == k_no_index) {
        return {};
    }
    const Store& owned = model.stores[store];
    const Index own = owned.is_shared
                          ? k_no_index
                          : index_in(model.members_of[owned.role], member_named(model, member));
    if (own != k_no_index) {
        return {{store, own}};
    }
    std::vector<Instance> instances;
    for (Index i = 0; i < owned.offset.size(); ++i) {
        instances.push_back({store, i});
    }
    return instances;
}

// A copy is always of the whole store.
void add_change(const Model& model, ActionModel& act, const model::Effect& effect) {
    const EffectKind kind = effect.kind;
    StoreChange change{kind, store_named(model, effect.name), {}, effect.own};
    const bool is_whole = kind == EffectKind::copies || (kind == EffectKind::lowers && !effect.own);
    const std::string owner = is_whole ? "" : effect.member;
    for (const Instance& instance : instances_of(model, effect.name, owner)) {
        change.instances.push_back(instance.index);
    }
    if (change.store != k_no_index && kind != EffectKind::becomes && kind != EffectKind::changes) {
        act.changes.push_back(std::move(change));
    }
}

bool restores(const model::Effect& effect) {
    return effect.kind == EffectKind::restores;
}

// A restore that names no store brings back every store that has a copy, before its other effects.
void add_changes(const Model& model, const model::Action& action, ActionModel& act) {
    const bool is_named = std::any_of(action.effects.begin(), action.effects.end(), restores);
    act.restores = act.restores || is_named;
    for (const Store& store : model.stores) {
        if (action.verb == model::Verb::restore && !is_named) {
            add_change(model, act, {EffectKind::restores, action.member, store.name, {}});
        }
    }
    for (const model::Effect& effect : action.effects) {
        add_change(model, act, effect);
    }
    act.moves_world = act.moves_world || !act.changes.empty();
}

// Returns the format that a half-done effect gives a store.
Byte half_done_format(const Model& model, const Store& store, EffectKind kind) {
    if (kind == EffectKind::destroys) {
        return k_destroyed;
    }
    const auto law = store.laws.find(model.plan.to_version);
    const Index format =
        law == store.laws.end() ? k_no_index : index_in(store.formats, law->second.writes);
    return format == k_no_index ? k_no_format : to_byte(format);
}

Byte half_done_value(Model& model, const model::Effect& effect) {
    if (effect.kind == EffectKind::changes) {
        return open_value(model);
    }
    const bool is_absent = effect.value.is_null();
    return model.values.index_of(
        {is_absent ? ObservationStatus::absent : ObservationStatus::known, effect.value, "", 0});
}

// The bytes for the saved values were reserved in the same order.
void add_half_done(Model& model, Index action) {
    ActionModel& act = model.actions[action];
    Index next = 0;
    for (const model::Effect& effect : model.plan.actions[action].meanwhile) {
        if (effect.kind == EffectKind::becomes || effect.kind == EffectKind::changes) {
            const auto place = model.offsets.find(model::fact_key(effect.member, effect.name));
            HalfDone& half_done = act.meanwhile[next++];
            half_done.offset = place == model.offsets.end() ? k_no_offset : place->second;
            half_done.value = half_done_value(model, effect);
            continue;
        }
        const std::string owner = is_of_owner(effect) ? effect.member : "";
        for (const Instance instance : instances_of(model, effect.name, owner)) {
            const Store& store = model.stores[instance.store];
            HalfDone& half_done = act.meanwhile[next++];
            half_done.is_format = true;
            half_done.instance = instance;
            half_done.offset = store.offset[instance.index];
            half_done.value = half_done_format(model, store, effect.kind);
        }
    }
    std::erase_if(act.meanwhile, [](const HalfDone& one) {
        return one.offset == k_no_offset || (one.is_format && one.value == k_no_format);
    });
    act.moves_world = act.moves_world || !act.meanwhile.empty();
}

// True if some action names what runs in its `while`.
bool holds_any_member(const Model& model) {
    return std::any_of(model.members.begin(), model.members.end(), [&](const Member& member) {
        return std::any_of(model.actions.begin(), model.actions.end(), [&](const ActionModel& act) {
            return std::any_of(
                act.meanwhile.begin(), act.meanwhile.end(), [&](const HalfDone& half_done) {
                    return !half_done.is_format && half_done.offset == member.running;
                });
        });
    });
}

// Numbers a resource by its name.
Index resource_named(Model& model, const std::string& name) {
    Index index = index_in(model.resources, name);
    if (index == k_no_index) {
        index = model.resources.size();
        model.resources.push_back(name);
    }
    return index;
}

void add_resources(Model& model) {
    for (Index i = 0; i < model.actions.size(); ++i) {
        for (const std::string& name : model.plan.actions[i].alone) {
            model.actions[i].alone.push_back(resource_named(model, name));
        }
    }
    for (const FormatTransition& rise : model.format_transitions) {
        if (rise.alone) {
            (void)resource_named(model, model.stores[rise.store].name);
        }
    }
    model.has_alone = !model.resources.empty();
}

// Members with one domain are one unit.
std::vector<std::vector<Index>> units_of(const Model& model, const model::QuorumGroup& group) {
    std::map<std::string, std::vector<Index>> domains;
    for (Index i = 0; i < group.members.size(); ++i) {
        const bool has_domain = i < group.domains.size();
        const std::string key = has_domain ? "d " + group.domains[i] : "m " + group.members[i];
        if (const Index member = member_named(model, group.members[i]); member != k_no_index) {
            domains[key].push_back(member);
        }
    }
    std::vector<std::vector<Index>> units;
    for (const auto& [key, members] : domains) {
        units.push_back(members);
    }
    return units;
}

void add_groups(Model& model) {
    for (const model::PlanRole& role : model.plan.roles) {
        model.groups.emplace_back();
        for (const model::QuorumGroup& group : role.groups) {
            if (model.plan.kind == "rolling" && group.kind != QuorumKind::none) {
                model.groups.back().push_back(
                    {group.name, group.kind, group.count, units_of(model, group)});
            }
        }
    }
}

// The end of a way back restores more than the end of an upgrade. A fact that no step of the plan
// changes may be switched all the same: the plan before a way back did it.
void add_temporaries(Model& model) {
    const bool is_way_back = !model.plan.reverts_run.empty();
    for (const model::TemporaryFact& fact : model.plan.temporaries) {
        const auto place = model.offsets.find(fact.key);
        const bool counts = is_way_back ? fact.temporary != model::Temporary::no
                                        : fact.temporary == model::Temporary::always;
        if (counts && place != model.offsets.end()) {
            model.temporaries.push_back(
                {fact.key, place->second, model.values.index_of(fact.value)});
        }
    }
}

// The facts that tell whether a store is clean, by instance.
void add_clean_facts(Model& model, Index index) {
    Store& store = model.stores[index];
    store.clean_facts.resize(store.offset.size());
    for (const std::string& key : model.plan.stores[index].clean_stop) {
        const auto place = model.offsets.find(key);
        const auto source = model.plan.sources.find(key);
        const std::string owner = source == model.plan.sources.end() ? "" : source->second.member;
        const Index own = index_in(model.members_of[store.role], member_named(model, owner));
        for (Index i = 0; place != model.offsets.end() && i < store.offset.size(); ++i) {
            if (store.is_shared || own == k_no_index || own == i) {
                store.clean_facts[i].push_back(place->second);
            }
        }
    }
}

// Members that run leave the stores unclean that they open, from the first row on.
void note_openers(Model& model) {
    for (const Store& store : model.stores) {
        for (Index i = 0; i < store.unclean.size(); ++i) {
            const Byte release = last_opener(model, store, i, model.initial.data());
            Byte& left_by = model.initial[store.unclean[i]];
            left_by = release == k_absent ? left_by : release;
        }
    }
}

// The releases whose start by itself can let the law violate anything, as values: by closing the
// way back, by raising a format under others, or beside another start. A law that waits for a
// command does nothing then.
std::uint64_t releases_to_judge(const Model& model, const FormatTransition& rise) {
    const Store& store = model.stores[rise.store];
    const bool has_other_readers =
        store.is_shared || std::count(store.opened_by.begin(), store.opened_by.end(), true) > 1;
    const bool is_at_start = rise.raises == model::FormatTrigger::on_start;
    const bool counts = (rise.closes() && (is_at_start || rise.waits)) || rise.alone
                        || (is_at_start && has_other_readers);
    return counts ? rise.running_values : 0;
}

// A start by itself may also bring releases together, or serve where it may not. Where members
// change each other, any release may.
std::uint64_t releases_to_judge(const Model& model) {
    std::uint64_t releases = model.skews.empty() && !model.depends_on_clients ? 0 : k_any_value;
    for (const FormatTransition& rise : model.format_transitions) {
        releases |= releases_to_judge(model, rise);
    }
    return releases != 0 && model.has_mutual_laws ? k_any_value : releases;
}

bool uses_leaders(const Model& model) {
    return std::any_of(model.members.begin(), model.members.end(), [](const Member& member) {
        return member.leads != k_no_offset;
    });
}

}  // namespace

// A release or a format that the pack does not name is readable: a guess would report violations
// that do not exist.
void add_readable_formats(Model& model) {
    for (Store& store : model.stores) {
        const std::vector<bool> all(store.formats.size(), true);
        store.reads.assign(model.values.size(), all);
        store.starts_on.assign(model.values.size(), all);
        for (Index value = 0; value < model.values.size(); ++value) {
            const auto law = store.laws.find(model.values.at(value).value.show());
            for (Index i = 0; law != store.laws.end() && i < store.formats.size(); ++i) {
                const model::FormatSupport& support = law->second;
                const bool reads = is_listed(support.reads, store.formats[i]);
                store.reads[value][i] = reads;
                store.starts_on[value][i] = opens(support, store.formats[i]);
                model.depends_on_clients |= store.starts_on[value][i] && !reads;
            }
        }
    }
    model.judged_restarts = releases_to_judge(model);
}

void add_half_done_effects(Model& model) {
    for (Index i = 0; i < model.actions.size(); ++i) {
        add_changes(model, model.plan.actions[i], model.actions[i]);
        add_half_done(model, i);
    }
    model.holds_members = holds_any_member(model);
    add_resources(model);
}

void add_laws_of_roles(Model& model) {
    add_groups(model);
    add_temporaries(model);
    bool has_stores_with_laws = false;
    for (Index i = 0; i < model.stores.size(); ++i) {
        add_clean_facts(model, i);
        const Store& store = model.stores[i];
        has_stores_with_laws |= store.leader_only || !store.axis.empty() || !store.unclean.empty()
                                || !store.stale.empty();
    }
    const bool has_shared_readiness = std::any_of(
        model.ready_with.begin(), model.ready_with.end(), [](int count) { return count > 0; });
    model.has_mutual_laws =
        has_stores_with_laws || has_shared_readiness || uses_leaders(model)
        || std::any_of(model.format_transitions.begin(),
                       model.format_transitions.end(),
                       [](const FormatTransition& rise) {
                           return rise.raises == model::FormatTrigger::when_all_running
                                  || rise.raises == model::FormatTrigger::on_lead;
                       });
    if (model.has_mutual_laws) {
        model.no = model.values.index_of({ObservationStatus::known, Json(false), "", 0});
    }
    note_openers(model);
}

}  // namespace drydock::checker
