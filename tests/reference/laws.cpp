#include "reference/laws.h"

#include "model/version.h"
#include "reference/rules.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using checker::Property;
using model::Action;
using model::Effect;
using model::FormatTrigger;
using model::ObservationStatus;
using model::PlanStore;
using model::Verb;
using run::Status;

bool is_once_only(const Action& action) {
    return action.repeatable == model::Repeatable::no && !action.request.is_null();
}

// What the start of a member opens: its own data, and whatever its role shares or opens.
std::vector<std::string>
opened(const Model& model, const PlanStore& store, const std::string& member) {
    const std::string role = model.role_of(member);
    if (index_in(store.opened_by, role) < 0) {
        return {};
    }
    if (store.role == role && !store.shared) {
        return {store.name + "/" + member};
    }
    return model.instances(store);
}

bool can_read(const PlanStore& store, int format, const std::string& release) {
    const auto law = store.laws.find(release);
    if (law == store.laws.end() || format < 0) {
        return true;
    }
    const std::string& name = store.formats[static_cast<std::size_t>(format)];
    return index_in(law->second.reads, name) >= 0;
}

// The level facts that tell the format of this instance.
void tell_level(Model& model, const PlanStore& store, const std::string& instance, World& world) {
    const auto slash = instance.find('/');
    const std::string owner = slash == std::string::npos ? "" : instance.substr(slash + 1);
    const int format = world.formats.at(instance);
    for (const std::string& key : format < 0 ? std::vector<std::string>() : store.levels) {
        const auto source = model.plan.sources.find(key);
        const std::string whose = source == model.plan.sources.end() ? "" : source->second.member;
        if (whose.empty() || owner.empty() || whose == owner) {
            model.set(world, key, Json(store.formats[static_cast<std::size_t>(format)]));
        }
    }
}

void raise(Model& model, const Rise& rise, const std::string& instance, World& world) {
    if (world.formats.at(instance) < rise.becomes) {
        world.formats[instance] = rise.becomes;
        tell_level(model, *rise.store, instance, world);
    }
}

// Releases that convert what they open.
void convert(Model& model, const std::string& member, const std::string& release, World& world) {
    for (const Rise& rise : model.rises) {
        if (rise.law->raises == FormatTrigger::on_start && rise.release == release) {
            for (const std::string& instance : opened(model, *rise.store, member)) {
                raise(model, rise, instance, world);
            }
        }
    }
}

bool may_serve_together(const model::Plan& plan,
                        const model::SkewRule& rule,
                        const std::string& one,
                        const std::string& other) {
    const auto known = [&](const std::string& release) {
        return release == plan.from || release == plan.to;
    };
    if (one == other || !known(one) || !known(other)) {
        return true;
    }
    const bool newer = model::compare_versions(one, other) > 0;
    return plan.max_skew <= rule.max_skew && (rule.newer || !newer);
}

bool serve_apart(const Model& model, const World& world) {
    for (const model::SkewRule& rule : model.plan.skew) {
        for (const std::string& a : model.members_of(rule.role)) {
            for (const std::string& b : model.members_of(rule.with)) {
                if (!may_serve_together(
                        model.plan, rule, model.runs(world, a), model.runs(world, b))) {
                    return true;
                }
            }
        }
    }
    return false;
}

void bring_up(Model& model, const std::string& member, const std::string& release, World& world) {
    model.set(world, model.key_of(member, "running"), Json(release));
    model.set(world, model.key_of(member, "ready"), Json(true));
    model.set(world, model.key_of(member, "service"), Json("running"));
    convert(model, member, release, world);
}

// What is installed is what starts, whatever the step meant.
void start(Model& model, const std::string& member, World& world, Broken& broken) {
    if (model.key_of(member, "running").empty()) {
        return;
    }
    const std::string installed = model.key_of(member, "installed");
    const std::string release = installed.empty() ? model.runs(world, member)
                                                  : model.value(world, installed).value.as_string();
    if (can_read_all(model, member, release, world)) {
        bring_up(model, member, release, world);
    } else {
        die(model, member, world);
        broken.insert(Property::unreadable_start);
    }
}

void apply_store_effect(Model& model, const Effect& effect, World& world) {
    const PlanStore* store = store_named(model, effect.name);
    if (store == nullptr || effect.kind == model::EffectKind::becomes) {
        return;
    }
    if (effect.kind == model::EffectKind::copies) {
        Copy& copy = world.copies[store->name];
        copy = std::max(copy, Copy::unverified);
    }
    for (const Rise& rise : model.rises) {
        if (effect.kind == model::EffectKind::raises && rise.store == store) {
            fire(model, rise, world);
        }
    }
    const auto law = store->laws.find(model.plan.to);
    if (effect.kind == model::EffectKind::lowers && law != store->laws.end()) {
        world.held.insert(store->name);
        for (const std::string& instance : model.instances(*store)) {
            world.formats[instance] = index_in(store->formats, law->second.writes);
            tell_level(model, *store, instance, world);
        }
    }
}

// A start brings up what is installed; "running" of its own effects is then only what it hoped for.
void apply_facts(Model& model, const Action& action, World& world) {
    for (const Effect& effect : action.effects) {
        const std::string key = model::fact_key(effect.member, effect.name);
        const bool told_by_start = starts(action) && key == model.key_of(effect.member, "running")
                                   && !model.key_of(effect.member, "installed").empty();
        if (effect.kind == model::EffectKind::becomes && !told_by_start) {
            model.set(world, key, effect.value);
        }
    }
}

bool serves(const Model& model, const std::string& member, const World& world) {
    const std::string running = model.key_of(member, "running");
    const std::string ready = model.key_of(member, "ready");
    return !running.empty() && model.value(world, running).status == ObservationStatus::known
           && (ready.empty() || model.value(world, ready).value == Json(true));
}

// The members whose `running` the step moves; with `down`, only those that it takes down.
std::set<std::string> moved(const Model& model, const Action& action, bool down) {
    std::set<std::string> members;
    for (const Effect& effect : action.effects) {
        const bool told = !action.member.empty() && effect.kind == model::EffectKind::becomes
                          && !effect.member.empty()
                          && model::fact_key(effect.member, effect.name)
                                 == model.key_of(effect.member, "running");
        if (told && (!down || effect.value.is_null())) {
            members.insert(effect.member);
        }
    }
    return members;
}

// A restart takes down whom it brings up.
std::set<std::string> leaving(const Model& model, const Action& action) {
    const bool restart = action.verb == Verb::restart && !action.member.empty();
    std::set<std::string> members = moved(model, action, !restart);
    if (restart) {
        members.insert(action.member);
    }
    return members;
}

bool is_going_down(const Model& model,
                   const std::string& member,
                   std::size_t but,
                   const World& world) {
    const run::State state = model.state(world);
    for (std::size_t i = 0; i < model.plan.actions.size(); ++i) {
        const Status status = state.status(i);
        const Action& action = model.plan.actions[i];
        if (i != but && is_open_ended(status) && leaving(model, action).contains(member)) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool can_read_all(const Model& model,
                  const std::string& member,
                  const std::string& release,
                  const World& world) {
    for (const PlanStore& store : model.plan.stores) {
        for (const std::string& instance : opened(model, store, member)) {
            if (!can_read(store, world.formats.at(instance), release)) {
                return false;
            }
        }
    }
    return true;
}

bool starts(const Action& action) {
    return !action.member.empty() && (action.verb == Verb::start || action.verb == Verb::restart);
}

bool takes_down(const Model& model, const Action& action) {
    return !leaving(model, action).empty();
}

Broken take_effect(Model& model, std::size_t index, World& world) {
    const Action& action = model.plan.actions[index];
    if (!moves_world(model, index)) {
        return {};
    }
    Broken broken;
    const bool closing = is_closing(model, world);
    const bool apart = serve_apart(model, world);
    const bool turns_back = moves_serving(model, action) && world.written;
    if (model.plan.procedure == "downgrade" && (action.verb == Verb::restore || turns_back)) {
        broken.insert(Property::lost_writes);
    }
    look_at_copies(model, action, world, broken);
    if (is_once_only(action) && !world.ran.insert(index).second) {
        broken.insert(Property::twice);
    }
    apply_facts(model, action, world);
    for (const Effect& effect : action.effects) {
        apply_store_effect(model, effect, world);
    }
    if (starts(action)) {
        std::set<std::string> members = moved(model, action, false);
        members.insert(action.member);
        for (const std::string& member : members) {
            start(model, member, world, broken);
        }
    }
    if (!apart && serve_apart(model, world)) {
        broken.insert(Property::skew);
    }
    note_writes(model, world);
    if (!closing && is_closing(model, world)) {
        look_at_closing(model, world, broken);
    }
    return broken;
}

Broken leave(const Model& model, std::size_t index, const World& world) {
    const Action& action = model.plan.actions[index];
    if (model.plan.kind != "rolling" || !takes_down(model, action)) {
        return {};
    }
    const auto goes = leaving(model, action);
    for (const model::PlanRole& role : model.plan.roles) {
        std::set<std::string> serving;
        for (const std::string& member : model.members_of(role.name)) {
            if (serves(model, member, world) && !is_going_down(model, member, index, world)) {
                serving.insert(member);
            }
        }
        const bool was_enough = static_cast<int>(serving.size()) >= role.quorum;
        for (const std::string& member : goes) {
            serving.erase(member);
        }
        if (was_enough && static_cast<int>(serving.size()) < role.quorum) {
            return {Property::quorum};
        }
    }
    return {};
}

void prove_copies(const Model& model, std::size_t index, World& world) {
    for (const Effect& effect : model.plan.actions[index].effects) {
        if (effect.kind == model::EffectKind::copies
            && store_named(model, effect.name) != nullptr) {
            world.copies[effect.name] = Copy::verified;
        }
    }
}

bool holds(const Model& model, const Rise& rise, const World& world) {
    const auto& members = model.members_of(rise.store->role);
    return rise.law->raises == FormatTrigger::when_all && !members.empty()
           && std::all_of(members.begin(), members.end(), [&](const std::string& member) {
                  return model.runs(world, member) == rise.release;
              });
}

bool is_risen(const Model& model, const Rise& rise, const World& world) {
    const auto instances = model.instances(*rise.store);
    return std::any_of(instances.begin(), instances.end(), [&](const std::string& instance) {
        return world.formats.at(instance) >= rise.becomes;
    });
}

bool may_fire(const Model& model, const Rise& rise, const World& world) {
    return holds(model, rise, world) && !world.held.contains(rise.store->name)
           && !is_risen(model, rise, world);
}

void fire(Model& model, const Rise& rise, World& world) {
    for (const std::string& instance : model.instances(*rise.store)) {
        raise(model, rise, instance, world);
    }
}

void die(Model& model, const std::string& member, World& world) {
    model.set(world, model.key_of(member, "running"), Json());
    model.set(world, model.key_of(member, "ready"), Json());
    model.set(world, model.key_of(member, "service"), Json("stopped"));
}

bool may_be_started(const Model& model, const std::string& member, const World& world) {
    const std::string running = model.key_of(member, "running");
    const std::string installed = model.key_of(member, "installed");
    return !running.empty() && model.value(world, running).status == ObservationStatus::absent
           && !installed.empty() && !model.is_away(world, member)
           && can_read_all(model, member, model.value(world, installed).value.as_string(), world);
}

void start_by_hand(Model& model, const std::string& member, World& world) {
    const std::string installed = model.key_of(member, "installed");
    bring_up(model, member, model.value(world, installed).value.as_string(), world);
}

bool closes_way_back(const model::Plan& plan, const PlanStore& store) {
    const auto from = store.laws.find(plan.from);
    const auto to = store.laws.find(plan.to);
    return from != store.laws.end() && to != store.laws.end()
           && model::compare_versions(plan.from, plan.to) < 0
           && index_in(from->second.reads, to->second.writes) < 0 && !to->second.lowers_on_request;
}

bool is_closing(const Model& model, const World& world) {
    return std::any_of(model.rises.begin(), model.rises.end(), [&](const Rise& rise) {
        return rise.closes && (is_risen(model, rise, world) || holds(model, rise, world));
    });
}

bool is_approved(const Model& model, const World& world) {
    const run::State state = model.state(world);
    for (std::size_t i = 0; i < model.plan.actions.size(); ++i) {
        if (model.plan.actions[i].is_point_of_no_return && state.status(i) == Status::done) {
            return true;
        }
    }
    return false;
}

bool moves_world(const Model& model, std::size_t index) {
    const Action& action = model.plan.actions[index];
    const bool effect =
        std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& one) {
            return one.kind == model::EffectKind::becomes
                       ? model.has(model::fact_key(one.member, one.name))
                       : store_named(model, one.name) != nullptr;
        });
    return effect || is_once_only(action) || starts(action) || action.verb == Verb::restore
           || destroys(action);
}

}  // namespace drydock::reference
