#include "reference/members.h"

#include "reference/half_done.h"
#include "reference/stores.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Action;
using model::Effect;
using model::FormatTrigger;
using model::PlanStore;
using model::Verb;

std::string copy_of(const PlanStore& store, const std::string& member) {
    return store.name + "/" + member;
}

// The members that have a copy of their own.
std::vector<std::string> keepers(const Model& model, const PlanStore& store) {
    const bool asked = store.newest_last_stopped && !store.shared;
    return asked ? model.members_of(store.role) : std::vector<std::string>{};
}

bool is_stale(const PlanStore& store, const std::string& member, const World& world) {
    return world.stores.stale.contains(copy_of(store, member));
}

bool runs_current(const Model& model, const PlanStore& store, const World& world) {
    const auto members = keepers(model, store);
    return std::any_of(members.begin(), members.end(), [&](const std::string& member) {
        return model.is_up(world, member) && !is_stale(store, member, world);
    });
}

// Others run on and take what these do not see.
void note_stale(const Model& model, const std::set<std::string>& members, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        const auto all = keepers(model, store);
        const bool others = std::any_of(all.begin(), all.end(), [&](const std::string& member) {
            return model.is_up(world, member) && !members.contains(member);
        });
        for (const std::string& member : all) {
            if (others && takes_writes(model, world) && members.contains(member)
                && model.is_up(world, member)) {
                world.stores.stale.insert(copy_of(store, member));
            }
        }
    }
}

void note_clean(const Model& model, const std::string& member, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        for (const std::string& instance : opened(model, store, member, world)) {
            world.stores.left.erase(instance);
        }
    }
}

void set_down(Model& model, const std::string& member, World& world) {
    model.set(world, model.key_of(member, "running"), Json());
    model.set(world, model.key_of(member, "ready"), Json());
    model.set(world, model.key_of(member, "service"), Json("stopped"));
    model.set(world, model.key_of(member, "leads"), Json(false));
}

// Each beside a current copy is current.
void settle_copies(const Model& model, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        const bool current = runs_current(model, store, world);
        for (const std::string& member : keepers(model, store)) {
            if (current && model.is_up(world, member)) {
                world.stores.stale.erase(copy_of(store, member));
            }
        }
    }
}

void tell_clean(Model& model, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        for (const std::string& instance : model.instances(store)) {
            for (const std::string& key : model.keys_about(instance, store.clean_stop)) {
                model.set(world, key, Json(!world.stores.left.contains(instance)));
            }
        }
    }
}

// Ready together, or nobody.
void settle_readiness(Model& model, World& world) {
    for (const model::PlanRole& role : model.plan.roles) {
        std::vector<std::string> up = role.members;
        std::erase_if(up, [&](const auto& member) { return !model.is_up(world, member); });
        for (const std::string& member : up) {
            if (role.ready_with > 0) {
                const bool enough = static_cast<int>(up.size()) >= role.ready_with;
                model.set(world, model.key_of(member, "ready"), Json(enough));
            }
        }
    }
}

}  // namespace

bool starts(const Action& action) {
    return !action.member.empty() && (action.verb == Verb::start || action.verb == Verb::restart);
}

// A start takes nobody down; whatever else brings a member up restarts it.
Moves moves_of(const Model& model, const Action& action) {
    Moves moves;
    for (const Effect& effect : action.effects) {
        const bool told = effect.kind == model::EffectKind::becomes && !effect.member.empty()
                          && model::fact_key(effect.member, effect.name)
                                 == model.key_of(effect.member, "running");
        if (told && effect.value.is_null()) {
            moves.up.erase(effect.member);
        } else if (told) {
            moves.up[effect.member] = effect.value.as_string();
        }
        if (told && (effect.value.is_null() || action.verb != Verb::start)) {
            moves.down.insert(effect.member);
        }
    }
    if (starts(action)) {
        moves.up.try_emplace(action.member);
    }
    if (starts(action) && action.verb == Verb::restart) {
        moves.down.insert(action.member);
    }
    return moves;
}

std::set<std::string> down_meanwhile(const Model& model, const Action& action) {
    std::set<std::string> down;
    for (const Effect& effect : action.meanwhile) {
        if (effect.kind == model::EffectKind::becomes && effect.value.is_null()
            && !effect.member.empty()
            && model::fact_key(effect.member, effect.name)
                   == model.key_of(effect.member, "running")) {
            down.insert(effect.member);
        }
    }
    return down;
}

std::string release_to_start(const Model& model,
                             const std::string& member,
                             const std::string& named,
                             const World& world) {
    const std::string& installed = model.key_of(member, "installed");
    if (!installed.empty()) {
        return model.value(world, installed).value.as_string();
    }
    return named.empty() ? model.runs(world, member) : named;
}

void take_down(Model& model, const std::set<std::string>& members, World& world) {
    note_stale(model, members, world);
    for (const std::string& member : members) {
        if (model.is_up(world, member)) {
            note_clean(model, member, world);
        }
        set_down(model, member, world);
    }
    note_who_runs(model, world);  // others may still run on a store that they share
}

void die(Model& model, const std::string& member, World& world) {
    end_claims_on(model, member, world);
    note_stale(model, {member}, world);
    set_down(model, member, world);
}

void come_up(Model& model, const std::string& member, const std::string& release, World& world) {
    end_claims_on(model, member, world);
    if (!model.is_up(world, member)) {
        model.set(world, model.key_of(member, "leads"), Json(false));
    }
    model.set(world, model.key_of(member, "running"), Json(release));
    model.set(world, model.key_of(member, "ready"), Json(true));
    model.set(world, model.key_of(member, "service"), Json("running"));
    convert(model, member, release, world);
}

void settle(Model& model, World& world) {
    settle_readiness(model, world);
    settle_copies(model, world);
    note_who_runs(model, world);
    tell_clean(model, world);
}

void note_who_runs(const Model& model, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        for (const std::string& member : model.plan.members()) {
            if (store.clean_stop.empty() || !model.is_up(world, member)) {
                continue;
            }
            for (const std::string& instance : opened(model, store, member, world)) {
                world.stores.left[instance] = model.runs(world, member);
            }
        }
    }
}

void note_stale_at_first(const Model& model, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        const bool any = runs_current(model, store, world);
        for (const std::string& member : keepers(model, store)) {
            if (any && model.is_down(world, member)) {
                world.stores.stale.insert(copy_of(store, member));
            }
        }
    }
}

bool starts_stale(const Model& model,
                  const std::map<std::string, std::string>& up,
                  const World& world) {
    return std::any_of(
        model.plan.stores.begin(), model.plan.stores.end(), [&](const PlanStore& store) {
            bool stale_starts = false;
            bool current_lies = false;
            for (const std::string& member : keepers(model, store)) {
                const bool stale = is_stale(store, member, world);
                const bool is_up = model.is_up(world, member);
                stale_starts = stale_starts || (stale && is_up && up.contains(member));
                current_lies = current_lies || (!stale && model.is_down(world, member));
            }
            return stale_starts && current_lies && !runs_current(model, store, world);
        });
}

bool votes(const Model& model, const std::string& member, const World& world) {
    const std::string& key = model.key_of(member, "voter");
    return key.empty() || model.is(world, key, Json(true));
}

bool serves(const Model& model, const std::string& member, const World& world) {
    const std::string& ready = model.key_of(member, "ready");
    return model.is_up(world, member)
           && (ready.empty() || model.value(world, ready).value == Json(true));
}

bool leads(const Model& model, const std::string& member, const World& world) {
    return model.is_up(world, member) && model.is(world, model.key_of(member, "leads"), Json(true));
}

bool may_be_elected(const Model& model, const std::string& member, const World& world) {
    const auto& peers = model.members_of(model.role_of(member));
    return !model.key_of(member, "leads").empty() && serves(model, member, world)
           && std::none_of(peers.begin(), peers.end(), [&](const std::string& peer) {
                  return leads(model, peer, world);
              });
}

void elect(Model& model, const std::string& member, World& world) {
    for (const std::string& peer : model.members_of(model.role_of(member))) {
        if (leads(model, peer, world)) {
            model.set(world, model.key_of(peer, "leads"), Json(false));
        }
    }
    model.set(world, model.key_of(member, "leads"), Json(true));
    settle(model, world);
}

bool fires_by_itself(FormatTrigger trigger) {
    return trigger == FormatTrigger::when_all || trigger == FormatTrigger::when_all_running
           || trigger == FormatTrigger::on_lead;
}

}  // namespace drydock::reference
