#include "reference/laws.h"

#include "model/version.h"
#include "reference/commands.h"
#include "reference/half_done.h"
#include "reference/rules.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using checker::Property;
using model::Action;
using model::Effect;
using model::PlanStore;
using model::Verb;
using run::Status;

bool is_once_only(const Action& action) {
    return action.repeatable == model::Repeatable::no && !action.request.is_null();
}

bool may_serve_together(const model::Plan& plan,
                        const model::SkewRule& rule,
                        const std::string& one,
                        const std::string& other) {
    const auto known = [&](const std::string& release) {
        return release == plan.from_version || release == plan.to_version;
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
            for (const std::string& b : model.members_of(rule.peer_role)) {
                if (!may_serve_together(
                        model.plan, rule, model.runs(world, a), model.runs(world, b))) {
                    return true;
                }
            }
        }
    }
    return false;
}

// A member that misreads now and did not before, but for this one.
bool any_misreads_anew(const Model& model,
                       const World& before,
                       const World& after,
                       const std::string& but) {
    const auto then = misreading(model, before);
    const auto now = misreading(model, after);
    return std::any_of(now.begin(), now.end(), [&](const std::string& member) {
        return member != but && !then.contains(member);
    });
}

bool closes(const Model& model, const World& before, const World& after) {
    return !is_closing(model, before) && is_closing(model, after);
}

// A level follows its store, if the step moves that.
bool follows_store(const Model& model, const Action& action, const Effect& effect) {
    const std::string key = model::fact_key(effect.member, effect.name);
    for (const model::PlanStore& store : model.plan.stores) {
        for (const Effect& other : action.effects) {
            const bool is_level =
                std::find(store.levels.begin(), store.levels.end(), key) != store.levels.end();
            const bool is_fact = other.kind == model::EffectKind::becomes
                                 || other.kind == model::EffectKind::changes
                                 || other.kind == model::EffectKind::copies;
            if (is_level && other.name == store.name && !is_fact) {
                return true;
            }
        }
    }
    return false;
}

// Who comes up is told by what is installed, so `running` is not set here.
void apply_facts(Model& model, const Action& action, World& world) {
    for (const Effect& effect : action.effects) {
        const std::string key = model::fact_key(effect.member, effect.name);
        const bool running =
            !effect.member.empty() && key == model.key_of(effect.member, "running");
        if (effect.kind == model::EffectKind::changes && !follows_store(model, action, effect)) {
            model.leave_open(world, key);
        }
        if (effect.kind != model::EffectKind::becomes || running) {
            continue;
        }
        if (key == model.key_of(effect.member, "leads") && effect.value == Json(true)) {
            elect(model, effect.member, world);
        }
        model.set(world, key, effect.value);
    }
}

void apply_stores(Model& model, const Action& action, World& world) {
    if (action.verb == Verb::restore && !has_effect(action, model::EffectKind::restores)) {
        restore_all(model, action.member, world);
    }
    for (const Effect& effect : action.effects) {
        apply_store_effect(model, effect, world);
    }
}

// What cannot read its stores stays down.
void start_all(Model& model,
               const std::map<std::string, std::string>& releases,
               World& world,
               Broken& broken) {
    for (const auto& [member, release] : releases) {
        if (can_start(model, member, release, world)) {
            come_up(model, member, release, world);
        } else {
            die(model, member, world);
            broken.insert(Property::unreadable_start);
        }
    }
}

// All that the action does to members and stores; `back` are those that it held down meanwhile.
Broken carry_out(Model& model,
                 const Action& action,
                 const std::map<std::string, std::string>& back,
                 World& world) {
    Broken broken;
    const Moves moves = moves_of(model, action);
    const World before = world;
    take_down(model, moves.down, world);
    apply_facts(model, action, world);
    apply_stores(model, action, world);
    std::map<std::string, std::string> releases;
    for (const auto& [member, named] : moves.up) {
        if (!model.key_of(member, "running").empty()) {
            const std::string ran = named.empty() ? model.runs(before, member) : named;
            releases[member] = release_to_start(model, member, ran, world);
        }
    }
    start_all(model, releases, world, broken);
    std::map<std::string, std::string> returning;
    for (const auto& [member, ran] : back) {
        if (model.is_down(world, member)) {
            returning[member] = release_to_start(model, member, ran, world);
        }
    }
    start_all(model, returning, world, broken);
    releases.merge(returning);
    if (starts_stale(model, releases, world)) {
        broken.insert(Property::lost_writes);
    }
    return broken;
}

void look_at_lost_writes(const Model& model,
                         const Action& action,
                         const World& world,
                         Broken& broken) {
    const bool turns_back = moves_serving(model, action) && world.stores.written;
    const bool restores =
        action.verb == Verb::restore || has_effect(action, model::EffectKind::restores);
    if (model.plan.procedure == "downgrade" && (restores || turns_back)) {
        broken.insert(Property::lost_writes);
    }
}

}  // namespace

Broken take_effect(Model& model, std::size_t index, World& world) {
    const Action& action = model.plan.actions[index];
    if (!moves_world(model, index)) {
        return {};
    }
    Broken broken;
    const World before = world;
    look_at_lost_writes(model, action, world, broken);
    look_at_copies(model, action, world, broken);
    if (is_once_only(action) && !world.ran.insert(index).second) {
        broken.insert(Property::twice);
    }
    const auto back = take_back_half_done(model, index, world);
    broken.merge(carry_out(model, action, back, world));
    note_writes(model, world);
    settle(model, world);
    broken.merge(judge(model, before, world));
    return broken;
}

Broken judge(const Model& model, const World& before, const World& after) {
    Broken broken;
    if (!serve_apart(model, before) && serve_apart(model, after)) {
        broken.insert(Property::skew);
    }
    if (any_misreads_anew(model, before, after, "")) {
        broken.insert(Property::unreadable_start);
    }
    if (closes(model, before, after)) {
        look_at_closing(model, after, broken);
    }
    return broken;
}

bool restarts(const Model& model, const std::string& member) {
    const std::string name = model.role_of(member);
    const auto& roles = model.plan.roles;
    return std::any_of(roles.begin(), roles.end(), [&](const model::PlanRole& role) {
        return role.name == name && role.restarts;
    });
}

// A start on stores that it cannot read leaves it down, and nothing happened.
bool may_start(const Model& model, const std::string& member, const World& world) {
    const std::string& installed = model.key_of(member, "installed");
    return model.is_down(world, member) && !installed.empty()
           && can_start(model, member, model.value(world, installed).value.as_string(), world);
}

namespace {

Broken start_and_judge(Model& model, const std::string& member, World& world) {
    Broken broken;
    const World before = world;
    if (starts_beside_another(model, member, world)) {
        broken.insert(Property::alone);
    }
    come_up(model, member, release_to_start(model, member, "", world), world);
    settle(model, world);
    if (!serve_apart(model, before) && serve_apart(model, world)) {
        broken.insert(Property::skew);
    }
    if (misreading(model, world).contains(member)
        || any_misreads_anew(model, before, world, member)) {
        broken.insert(Property::unreadable_start);
    }
    if (closes(model, before, world) && !is_approved(model, world)) {
        broken.insert(Property::unasked_return_point);
    }
    return broken;
}

bool is_begun(Status status) {
    return run::is_in_flight(status) || run::has_failed(status) || status == Status::done;
}

bool tells_who_runs(const Model& model, const Effect& effect, const std::string& member) {
    return effect.member == member
           && model::fact_key(member, effect.name) == model.key_of(member, "running");
}

// The plan moves it by a restart, by an effect on what runs, or by a stop for a while.
bool moves(const Model& model, const Action& action, const std::string& member) {
    return (action.member == member && action.verb == Verb::restart)
           || std::any_of(
               action.effects.begin(),
               action.effects.end(),
               [&](const Effect& effect) { return tells_who_runs(model, effect, member); })
           || std::any_of(
               action.meanwhile.begin(), action.meanwhile.end(), [&](const Effect& effect) {
                   return effect.kind == model::EffectKind::becomes && effect.value.is_null()
                          && tells_who_runs(model, effect, member);
               });
}

bool has_moved(const Model& model, const std::string& member, const World& world) {
    const run::State state = model.state(world);
    const auto& actions = model.plan.actions;
    for (std::size_t i = 0; i < actions.size(); ++i) {
        if (moves(model, actions[i], member) && is_begun(state.status(i))) {
            return true;
        }
    }
    return false;
}

bool is_as_found(const Model& model, const std::string& member, const World& world) {
    const std::string& installed = model.key_of(member, "installed");
    return !installed.empty() && model.is_down(world, member)
           && model.value(world, installed).value == model.value(model.first, installed).value
           && (model.is_down(model.first, member) || !has_moved(model, member, world));
}

// What a start breaks before the first step, if the member is down then or dies. Of one that ran,
// only what nobody could have been asked.
Broken broken_as_found(Model& model, const std::string& member) {
    World found = model.first;
    const bool ran = model.is_up(found, member);
    if (ran) {
        die(model, member, found);
        settle(model, found);
    }
    if (!restarts(model, member) || !may_start(model, member, found)) {
        return {};
    }
    const std::string& installed = model.key_of(member, "installed");
    if (ran && model.value(found, installed).value.as_string() == model.runs(model.first, member)) {
        return {};
    }
    Broken broken = start_and_judge(model, member, found);
    std::erase_if(broken, [&](Property property) {
        return ran && property != Property::unasked_return_point;
    });
    return broken;
}

}  // namespace

Broken start_unasked(Model& model, const std::string& member, World& world) {
    Broken excused;
    if (is_as_found(model, member, world)) {
        excused = broken_as_found(model, member);
    }
    Broken broken = start_and_judge(model, member, world);
    std::erase_if(broken, [&](Property property) { return excused.contains(property); });
    return broken;
}

void prove_copies(const Model& model, std::size_t index, World& world) {
    for (const Effect& effect : model.plan.actions[index].effects) {
        if (effect.kind == model::EffectKind::copies
            && store_named(model, effect.name) != nullptr) {
            world.stores.copies[effect.name] = Copy::verified;
        }
    }
}

bool closes_way_back(const model::Plan& plan, const PlanStore& store) {
    const auto from = store.laws.find(plan.from_version);
    const auto to = store.laws.find(plan.to_version);
    return from != store.laws.end() && to != store.laws.end()
           && model::compare_versions(plan.from_version, plan.to_version) < 0
           && index_in(from->second.reads, to->second.writes) < 0 && !to->second.lowers_on_request;
}

bool closes_for_good(const model::Plan& plan, const Action& action) {
    const auto& others = plan.point_of_no_return.further_actions;
    const bool is_named =
        plan.point_of_no_return.exists
        && (action.id == plan.point_of_no_return.action
            || std::find(others.begin(), others.end(), action.id) != others.end());
    return is_named
           || std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& one) {
                  return one.kind == model::EffectKind::destroys
                         && std::any_of(
                             plan.stores.begin(), plan.stores.end(), [&](const auto& store) {
                                 return store.name == one.name
                                        && store.laws.contains(plan.from_version);
                             });
              });
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

bool leaves_behind(const Model& model,
                   const std::vector<model::TemporaryFact>& temporaries,
                   bool all,
                   const World& world) {
    return std::any_of(temporaries.begin(), temporaries.end(), [&](const auto& fact) {
        if (!model.has(fact.key) || (!all && fact.temporary != model::Temporary::always)) {
            return false;
        }
        const model::Observation& now = model.value(world, fact.key);
        return now.status != fact.value.status || now.value != fact.value.value;
    });
}

bool moves_world(const Model& model, std::size_t index) {
    const Action& action = model.plan.actions[index];
    const bool effect =
        std::any_of(action.effects.begin(), action.effects.end(), [&](const Effect& one) {
            return (one.kind == model::EffectKind::becomes
                    || one.kind == model::EffectKind::changes)
                       ? model.has(model::fact_key(one.member, one.name))
                       : store_named(model, one.name) != nullptr;
        });
    return effect || is_once_only(action) || starts(action) || action.verb == Verb::restore
           || destroys(action) || !action.meanwhile.empty();
}

}  // namespace drydock::reference
