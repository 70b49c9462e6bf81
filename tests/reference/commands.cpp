#include "reference/commands.h"

#include "reference/members.h"
#include "reference/stores.h"

#include <algorithm>

namespace drydock::reference {

namespace {

using checker::Property;
using model::Action;
using model::QuorumGroup;
using model::QuorumKind;

using Members = std::set<std::string>;

// Whom an action takes down, if only for a while.
Members taken_by(const Model& model, const Action& action) {
    Members taken = moves_of(model, action).down;
    taken.merge(down_meanwhile(model, action));
    return taken;
}

// The actions whose commands have left and whose ends are not known, but for this one.
std::vector<std::size_t> in_flight(const Model& model, std::size_t but, const World& world) {
    std::vector<std::size_t> found;
    const run::State state = model.state(world);
    for (std::size_t i = 0; i < model.plan.actions.size(); ++i) {
        if (i != but && is_open_ended(state.status(i))) {
            found.push_back(i);
        }
    }
    return found;
}

// Members of the role are ready together, or none is. Those that start are.
Members ready_of(const model::PlanRole& role,
                 const Model& model,
                 Members up,
                 const Members& started,
                 const World& world) {
    Members running = up;
    running.insert(started.begin(), started.end());
    if (static_cast<int>(running.size()) < role.ready_with) {
        return {};
    }
    std::erase_if(up, [&](const std::string& member) { return !serves(model, member, world); });
    up.insert(started.begin(), started.end());
    return up;
}

// Those of the role that the action starts, and does not take down.
Members started_by(const Model& model, const Action& action, const model::PlanRole& role) {
    const Members down = taken_by(model, action);
    Members started;
    for (const auto& [member, release] : moves_of(model, action).up) {
        if (!down.contains(member) && model.role_of(member) == role.name) {
            started.insert(member);
        }
    }
    return started;
}

bool is_about_vote(const Model& model, const model::Effect& effect) {
    return (effect.kind == model::EffectKind::becomes || effect.kind == model::EffectKind::changes)
           && !effect.member.empty()
           && model::fact_key(effect.member, effect.name) == model.key_of(effect.member, "voter");
}

// Who votes, if these actions have had their effects.
Members voters(const Model& model, const std::vector<std::size_t>& actions, const World& world) {
    Members found;
    for (const std::string& member : model.plan.members()) {
        if (votes(model, member, world)) {
            found.insert(member);
        }
    }
    for (const std::size_t index : actions) {
        for (const model::Effect& effect : model.plan.actions[index].effects) {
            if (!is_about_vote(model, effect)) {
                continue;
            }
            found.erase(effect.member);
            if (effect.value == Json(true)) {
                found.insert(effect.member);
            }
        }
    }
    return found;
}

// Who votes while the action is under way.
Members voters_meanwhile(const Model& model, std::size_t index, const World& world) {
    Members found = voters(model, {}, world);
    for (const model::Effect& effect : model.plan.actions[index].meanwhile) {
        if (is_about_vote(model, effect)) {
            found.erase(effect.member);
            if (effect.value == Json(true)) {
                found.insert(effect.member);
            }
        }
    }
    return found;
}

// True if some action of the plan moves votes for the time that it is under way.
bool lends_votes(const Model& model) {
    return std::any_of(
        model.plan.actions.begin(), model.plan.actions.end(), [&](const Action& action) {
            return std::any_of(action.meanwhile.begin(),
                               action.meanwhile.end(),
                               [&](const auto& effect) { return is_about_vote(model, effect); });
        });
}

// By unit, whether all of its members that vote are ready.
std::map<std::string, bool>
units_of(const QuorumGroup& group, const Members& voters, const Members& ready) {
    std::map<std::string, bool> units;
    for (std::size_t i = 0; i < group.members.size(); ++i) {
        const std::string& member = group.members[i];
        const std::string& unit = group.domains.empty() ? member : group.domains[i];
        if (voters.contains(member)) {
            bool& good = units.try_emplace(unit, true).first->second;
            good = good && ready.contains(member);
        }
    }
    return units;
}

// Without anybody who votes there is never enough.
bool has_enough(const QuorumGroup& group, const Members& voters, const Members& ready) {
    const auto units = units_of(group, voters, ready);
    const auto is_ready = [](const auto& unit) { return unit.second; };
    const auto count = std::count_if(units.begin(), units.end(), is_ready);
    const auto all = static_cast<std::ptrdiff_t>(units.size());
    switch (group.kind) {
    case QuorumKind::majority:
        return count >= all / 2 + 1;
    case QuorumKind::at_least:
        return all > 0 && count >= group.count;
    case QuorumKind::all_but:
        return all > 0 && count >= all - group.count;
    case QuorumKind::none:
        return true;
    }
    return true;
}

bool has_voter_up(const QuorumGroup& group, const Members& voters, const Members& up) {
    return std::any_of(group.members.begin(), group.members.end(), [&](const auto& member) {
        return voters.contains(member) && up.contains(member);
    });
}

// The role as a whole first, then its groups.
std::vector<bool> enough(const model::PlanRole& role, const Members& voters, const Members& ready) {
    std::vector<bool> answers = {static_cast<int>(ready.size()) >= role.quorum};
    for (const QuorumGroup& group : role.groups) {
        answers.push_back(has_enough(group, voters, ready));
    }
    return answers;
}

// True if the quorum number `first`, or one behind it, was there before and is not any more.
bool is_lost(const std::vector<bool>& before, const std::vector<bool>& after, std::size_t first) {
    for (std::size_t i = first; i < before.size(); ++i) {
        if (before[i] && !after[i]) {
            return true;
        }
    }
    return false;
}

// Who of a role is ready: before a command, while it is under way, and after it.
struct Readiness {
    Members before;
    Members meanwhile;
    Members after;
};

Readiness readiness_of(const Model& model,
                       const model::PlanRole& role,
                       std::size_t index,
                       const Members& others_take,
                       const World& world) {
    const Members goes = taken_by(model, model.plan.actions[index]);
    Members up(role.members.begin(), role.members.end());
    std::erase_if(up, [&](const std::string& member) {
        return !model.is_up(world, member) || others_take.contains(member);
    });
    Readiness ready;
    ready.before = ready_of(role, model, up, {}, world);
    std::erase_if(up, [&](const std::string& member) { return goes.contains(member); });
    const Members started = started_by(model, model.plan.actions[index], role);
    ready.after = ready_of(role, model, up, started, world);
    ready.meanwhile = ready.after;
    std::erase_if(ready.meanwhile,
                  [&](const std::string& member) { return !ready.before.contains(member); });
    return ready;
}

// True if somebody of a group who votes is up, and nobody is when the votes have moved.
bool takes_last_vote(const model::PlanRole& role,
                     const Members& before,
                     const Members& after,
                     const Readiness& ready) {
    Members up = ready.before;
    up.insert(ready.after.begin(), ready.after.end());
    return std::any_of(role.groups.begin(), role.groups.end(), [&](const QuorumGroup& group) {
        return has_voter_up(group, before, ready.before) && !has_voter_up(group, after, up);
    });
}

// A second look, where votes are away for a while: the others may still be under way, and so may
// this one. It is about groups only, for they alone know votes.
bool takes_quorum_meanwhile(const Model& model,
                            const model::PlanRole& role,
                            std::size_t index,
                            const Readiness& ready,
                            const World& world) {
    const Members voters_now = voters(model, {}, world);
    const Members voters_then = voters_meanwhile(model, index, world);
    const Members voters_after = voters(model, {index}, world);
    const auto now = enough(role, voters_now, ready.before);
    const auto meanwhile = enough(role, voters_then, ready.meanwhile);
    const auto after = enough(role, voters_after, ready.after);
    return is_lost(now, meanwhile, 1) || is_lost(now, after, 1)
           || takes_last_vote(role, voters_now, voters_then, ready)
           || takes_last_vote(role, voters_now, voters_after, ready);
}

bool takes_quorum(const Model& model, std::size_t index, const World& world) {
    std::vector<std::size_t> acting = in_flight(model, index, world);
    Members others_take;
    for (const std::size_t i : acting) {
        others_take.merge(taken_by(model, model.plan.actions[i]));
    }
    const Members voters_before = voters(model, acting, world);
    acting.push_back(index);
    const Members voters_after = voters(model, acting, world);
    const bool lends = lends_votes(model);
    return std::any_of(
        model.plan.roles.begin(), model.plan.roles.end(), [&](const model::PlanRole& role) {
            const Readiness ready = readiness_of(model, role, index, others_take, world);
            return is_lost(enough(role, voters_before, ready.before),
                           enough(role, voters_after, ready.after),
                           0)
                   || takes_last_vote(role, voters_before, voters_after, ready)
                   || (lends && takes_quorum_meanwhile(model, role, index, ready, world));
        });
}

// The stores or the role that an action has for itself. Its start of `but` does not count.
Members
had_alone(const Model& model, const Action& action, const std::string& but, const World& world) {
    Members names(action.alone.begin(), action.alone.end());
    for (const auto& [member, named] : moves_of(model, action).up) {
        if (member != but) {
            const std::string release = release_to_start(model, member, named, world);
            names.merge(converted_alone(model, member, release, world));
        }
    }
    return names;
}

bool is_any_in(const Members& names, const Members& taken) {
    return std::any_of(
        names.begin(), names.end(), [&](const std::string& name) { return taken.contains(name); });
}

}  // namespace

bool takes_down(const Model& model, const Action& action) {
    return !taken_by(model, action).empty();
}

bool moves_votes(const Model& model, const Action& action) {
    const auto moves_one = [&](const auto& effect) { return is_about_vote(model, effect); };
    return std::any_of(action.effects.begin(), action.effects.end(), moves_one)
           || std::any_of(action.meanwhile.begin(), action.meanwhile.end(), moves_one);
}

std::set<Property> leave(const Model& model, std::size_t index, const World& world) {
    std::set<Property> broken;
    const Action& action = model.plan.actions[index];
    if (model.plan.kind == "rolling" && takes_quorum(model, index, world)) {
        broken.insert(Property::quorum);
    }
    const Members names = had_alone(model, action, "", world);
    for (const std::size_t other : in_flight(model, index, world)) {
        if (is_any_in(names, had_alone(model, model.plan.actions[other], "", world))) {
            broken.insert(Property::alone);
        }
    }
    return broken;
}

// A member that a command starts as well is one process.
bool starts_beside_another(const Model& model, const std::string& member, const World& world) {
    const std::string release = release_to_start(model, member, "", world);
    const Members names = converted_alone(model, member, release, world);
    const auto others = in_flight(model, model.plan.actions.size(), world);
    return std::any_of(others.begin(), others.end(), [&](std::size_t other) {
        return is_any_in(names, had_alone(model, model.plan.actions[other], member, world));
    });
}

}  // namespace drydock::reference
