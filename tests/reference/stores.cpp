#include "reference/stores.h"

#include "reference/members.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using model::Effect;
using model::EffectKind;
using model::FormatTrigger;
using model::PlanStore;

bool is_named(const PlanStore& store, int format, const std::vector<std::string>& names) {
    return index_in(names, store.formats[static_cast<std::size_t>(format)]) >= 0;
}

enum class Reading { reads, starts, refuses };

Reading reading(const PlanStore& store, int format, const std::string& release) {
    const auto law = store.laws.find(release);
    if (format == k_destroyed) {
        return Reading::refuses;
    }
    if (law == store.laws.end() || format < 0 || is_named(store, format, law->second.reads)) {
        return Reading::reads;
    }
    const bool starts = is_named(store, format, law->second.starts_on);
    return starts ? Reading::starts : Reading::refuses;
}

// Another release left it, and not by a clean stop.
bool is_unclean_for(const std::string& instance, const std::string& release, const World& world) {
    const auto left = world.stores.left.find(instance);
    return left != world.stores.left.end() && left->second != release;
}

// The facts that tell the format of this instance.
void tell_level(Model& model, const PlanStore& store, const std::string& instance, World& world) {
    const int format = world.stores.formats.at(instance);
    if (format == k_no_format) {
        return;
    }
    for (const std::string& key : model.keys_about(instance, store.levels)) {
        model.set(world,
                  key,
                  format < 0 ? Json() : Json(store.formats[static_cast<std::size_t>(format)]));
    }
}

bool is_destroyed(const World& world, const std::string& instance) {
    return world.stores.formats.at(instance) == k_destroyed;
}

void raise(Model& model, const Rise& rise, const std::string& instance, World& world) {
    if (world.stores.formats.at(instance) < rise.becomes && !is_destroyed(world, instance)) {
        set_format(model, *rise.store, instance, rise.becomes, world);
    }
}

// What the plan's target writes.
int format_of_target(const Model& model, const PlanStore& store) {
    const auto law = store.laws.find(model.plan.to_version);
    return law == store.laws.end() ? k_no_format : index_in(store.formats, law->second.writes);
}

std::vector<std::string>
touched_by_member(const Model& model, const PlanStore& store, const std::string& member) {
    const bool own = !store.shared && model.role_of(member) == store.role;
    return own ? std::vector<std::string>{store.name + "/" + member} : model.instances(store);
}

void copy(const Model& model, const PlanStore& store, World& world) {
    Copy& copy = world.stores.copies[store.name];
    copy = std::max(copy, Copy::unverified);
    for (const std::string& instance : model.instances(store)) {
        world.stores.remembered[instance] = world.stores.formats.at(instance);
    }
}

void restore(Model& model, const PlanStore& store, const std::string& instance, World& world) {
    const auto format = world.stores.remembered.find(instance);
    if (format != world.stores.remembered.end()) {
        set_format(model, store, instance, format->second, world);
    }
}

// The commands that raise a store cannot do so before the law's own condition holds.
bool obeys_command(const Model& model, const Rise& rise, const World& world) {
    return !fires_by_itself(rise.law->trigger) || holds(model, rise, world);
}

// The releases of the axis that are asked about an instance: its member's, or everybody's.
std::set<std::string> releases_on_axis(const Model& model,
                                       const PlanStore& store,
                                       const std::string& instance,
                                       const World& world) {
    std::set<std::string> releases;
    for (const std::string& member : model.members_of(store.role)) {
        if (store.shared || instance == store.name + "/" + member) {
            releases.insert(reader(model, store, member, "", world));
        }
    }
    return releases;
}

// A tool writes what the release of its member writes.
void make_by_axis(Model& model, const PlanStore& store, const std::string& instance, World& world) {
    int newest = k_no_format;
    for (const std::string& release : releases_on_axis(model, store, instance, world)) {
        const auto law = store.laws.find(release);
        newest = std::max(newest,
                          law == store.laws.end() ? k_no_format
                                                  : index_in(store.formats, law->second.writes));
    }
    if (is_destroyed(world, instance) && newest != k_no_format) {
        set_format(model, store, instance, newest, world);
    }
}

void raise_by_axis(Model& model, const PlanStore& store, const Effect& effect, World& world) {
    const auto own = touched_by_member(model, store, effect.member);
    for (const std::string& instance : own) {
        make_by_axis(model, store, instance, world);
    }
    for (const std::string& instance : effect.own ? own : model.instances(store)) {
        const auto releases = releases_on_axis(model, store, instance, world);
        for (const Rise& rise : model.rises) {
            if (rise.store == &store && obeys_command(model, rise, world)
                && releases.contains(rise.release)) {
                raise(model, rise, instance, world);
            }
        }
    }
}

// Of the member's own instance alone, if the effect says so; else of all.
void raise_by_command(Model& model, const PlanStore& store, const Effect& effect, World& world) {
    if (!store.read_by.empty()) {
        raise_by_axis(model, store, effect, world);
        return;
    }
    for (const Rise& rise : model.rises) {
        if (rise.store != &store || !obeys_command(model, rise, world)) {
            continue;
        }
        for (const std::string& instance : touched_by_member(model, store, effect.member)) {
            if (is_destroyed(world, instance)) {
                set_format(model, store, instance, rise.becomes, world);
            } else {
                raise(model, rise, instance, world);
            }
        }
        if (!effect.own) {
            fire(model, rise, world);
        }
    }
}

void lower(Model& model, const PlanStore& store, const Effect& effect, World& world) {
    if (!store.laws.contains(model.plan.to_version)) {
        return;
    }
    world.held.insert(store.name);
    for (const std::string& instance : touched(model, store, effect)) {
        if (!is_destroyed(world, instance)) {
            set_format(model, store, instance, format_of_target(model, store), world);
        }
    }
}

}  // namespace

void set_format(
    Model& model, const PlanStore& store, const std::string& instance, int format, World& world) {
    world.stores.formats[instance] = format;
    tell_level(model, store, instance, world);
}

const PlanStore* store_named(const Model& model, const std::string& name) {
    for (const PlanStore& store : model.plan.stores) {
        if (store.name == name) {
            return &store;
        }
    }
    return nullptr;
}

std::vector<std::string>
opened(const Model& model, const PlanStore& store, const std::string& member, const World& world) {
    const std::string role = model.role_of(member);
    const bool opens = index_in(store.opened_by, role) >= 0;
    const bool follows = !model.key_of(member, "leads").empty() && !leads(model, member, world);
    if (!opens || (store.leader_only && follows)) {
        return {};
    }
    if (store.role == role && !store.shared) {
        return {store.name + "/" + member};
    }
    return model.instances(store);
}

std::string reader(const Model& model,
                   const PlanStore& store,
                   const std::string& member,
                   const std::string& release,
                   const World& world) {
    if (store.read_by.empty()) {
        return release;
    }
    const std::string key = model::fact_key(member, store.read_by);
    return model.has(key) ? model.value(world, key).value.as_string() : "";
}

bool can_start(const Model& model,
               const std::string& member,
               const std::string& release,
               const World& world) {
    for (const PlanStore& store : model.plan.stores) {
        const std::string by = reader(model, store, member, release, world);
        for (const std::string& instance : opened(model, store, member, world)) {
            if (reading(store, world.stores.formats.at(instance), by) == Reading::refuses
                || is_unclean_for(instance, release, world)) {
                return false;
            }
        }
    }
    return true;
}

bool takes_writes(const Model& model, const World& world) {
    const std::string key = model.key_of("", "writes");
    return key.empty() || model.is(world, key, Json(true))
           || model.is(world, key, Json("accepted"));
}

std::set<std::string> misreading(const Model& model, const World& world) {
    std::set<std::string> members;
    const bool serving = takes_writes(model, world);
    for (const std::string& member : model.plan.members()) {
        for (const PlanStore& store : model.plan.stores) {
            const std::string by = reader(model, store, member, model.runs(world, member), world);
            for (const std::string& instance : opened(model, store, member, world)) {
                const Reading how = reading(store, world.stores.formats.at(instance), by);
                const bool bad = how == Reading::refuses || (how == Reading::starts && serving);
                if (bad && model.is_up(world, member)) {
                    members.insert(member);
                }
            }
        }
    }
    return members;
}

bool holds(const Model& model, const Rise& rise, const World& world) {
    const auto runs_it = [&](const std::string& member) {
        return model.is_up(world, member)
               && reader(model, *rise.store, member, model.runs(world, member), world)
                      == rise.release;
    };
    std::vector<std::string> asked = model.members_of(rise.store->role);
    if (rise.law->trigger == FormatTrigger::when_all_running) {
        std::erase_if(asked, [&](const auto& member) { return !model.is_up(world, member); });
    } else if (rise.law->trigger == FormatTrigger::on_lead) {
        std::erase_if(asked, [&](const auto& member) { return !leads(model, member, world); });
        return std::any_of(asked.begin(), asked.end(), runs_it);
    } else if (rise.law->trigger != FormatTrigger::when_all) {
        return false;
    }
    return !asked.empty() && std::all_of(asked.begin(), asked.end(), runs_it);
}

bool is_risen(const Model& model, const Rise& rise, const World& world) {
    const auto instances = model.instances(*rise.store);
    return std::any_of(instances.begin(), instances.end(), [&](const std::string& instance) {
        return world.stores.formats.at(instance) >= rise.becomes;
    });
}

bool may_fire(const Model& model, const Rise& rise, const World& world) {
    const auto instances = model.instances(*rise.store);
    const bool open = std::any_of(instances.begin(), instances.end(), [&](const auto& instance) {
        return !is_destroyed(world, instance);
    });
    return open && holds(model, rise, world) && !world.held.contains(rise.store->name)
           && !is_risen(model, rise, world);
}

void fire(Model& model, const Rise& rise, World& world) {
    for (const std::string& instance : model.instances(*rise.store)) {
        raise(model, rise, instance, world);
    }
}

void convert(Model& model, const std::string& member, const std::string& release, World& world) {
    for (const Rise& rise : model.rises) {
        if (rise.law->trigger == FormatTrigger::on_start
            && rise.release == reader(model, *rise.store, member, release, world)) {
            for (const std::string& instance : opened(model, *rise.store, member, world)) {
                raise(model, rise, instance, world);
            }
        }
    }
}

std::set<std::string> converted_alone(const Model& model,
                                      const std::string& member,
                                      const std::string& release,
                                      const World& world) {
    std::set<std::string> names;
    for (const Rise& rise : model.rises) {
        const bool asked =
            rise.law->alone && rise.law->trigger == FormatTrigger::on_start && rise.store->shared;
        const auto instances = opened(model, *rise.store, member, world);
        if (asked && !instances.empty() && !is_risen(model, rise, world)
            && !is_destroyed(world, instances.front())
            && rise.release == reader(model, *rise.store, member, release, world)) {
            names.insert(rise.store->name);
        }
    }
    return names;
}

std::vector<std::string> touched(const Model& model, const PlanStore& store, const Effect& effect) {
    const bool of_member =
        effect.own || effect.kind == EffectKind::destroys || effect.kind == EffectKind::restores;
    return touched_by_member(model, store, of_member ? effect.member : "");
}

void apply_store_effect(Model& model, const Effect& effect, World& world) {
    const PlanStore* store = store_named(model, effect.name);
    if (store == nullptr || effect.kind == EffectKind::becomes) {
        return;
    }
    if (effect.kind == EffectKind::copies) {
        copy(model, *store, world);
    } else if (effect.kind == EffectKind::raises) {
        raise_by_command(model, *store, effect, world);
    } else if (effect.kind == EffectKind::lowers) {
        lower(model, *store, effect, world);
    }
    for (const std::string& instance : touched(model, *store, effect)) {
        if (effect.kind == EffectKind::destroys) {
            set_format(model, *store, instance, k_destroyed, world);
        } else if (effect.kind == EffectKind::restores) {
            restore(model, *store, instance, world);
        }
    }
}

int format_meanwhile(const Model& model, const Effect& effect) {
    const PlanStore* store = store_named(model, effect.name);
    const bool destroys = store == nullptr || effect.kind == EffectKind::destroys;
    return destroys ? k_destroyed : format_of_target(model, *store);
}

void apply_store_meanwhile(Model& model, const Effect& effect, World& world) {
    if (const PlanStore* store = store_named(model, effect.name)) {
        for (const std::string& instance : touched(model, *store, effect)) {
            set_format(model, *store, instance, format_meanwhile(model, effect), world);
        }
    }
}

void restore_all(Model& model, const std::string& member, World& world) {
    for (const PlanStore& store : model.plan.stores) {
        for (const std::string& instance : touched_by_member(model, store, member)) {
            restore(model, store, instance, world);
        }
    }
}

}  // namespace drydock::reference
