// The environment: answers of hosts, deaths, lost hosts, laws that fire, elections, and members
// that come back by themselves.
//
// A fault that no step can observe yet is delayed until one can (observable_members()). That is a
// persistent set: an unobserved fault commutes with every other step. docs/design/0004, "Order that
// is left out", has the argument.
#include "checker/store_effects.h"
#include "checker/successor_rules.h"

#include <algorithm>
#include <utility>

namespace drydock::checker {

using run::Command;
using run::CommandKind;
using run::EventType;
using run::Status;
using Kind = TransitionKind;

namespace {

// Answers all commands in flight. Returns true if there are any.
bool answer_commands(Expansion& expansion) {
    bool any_in_flight = false;
    const auto cells = expansion.run().of_actions();
    for (Index i = 0; i < cells.size(); ++i) {
        if (run::State::status_in(cells[i]) == Status::intended) {
            any_in_flight = true;
            if (!expansion.is_symmetric_duplicate(expansion.model().actions[i].member)) {
                answer_command(expansion, i);
            }
        }
    }
    return any_in_flight;
}

void fire_laws(Expansion& expansion) {
    const Model& model = expansion.model();
    for (Index i = 0; i < model.format_transitions.size(); ++i) {
        const FormatTransition& rise = model.format_transitions[i];
        if (rise.waits && can_fire(model, rise, expansion.row())) {
            Successor successor = expansion.add(Kind::law_fires, i);
            fire(model, rise, successor.row());
            successor.judge_change().commit();
        }
    }
}

// Where nobody leads, any serving member may come to lead.
void elect_leaders(Expansion& expansion) {
    const Model& model = expansion.model();
    for (Index i = 0; model.has_mutual_laws && i < model.members.size(); ++i) {
        if (!expansion.is_symmetric_duplicate(i)
            && can_lead(model, model.members[i], expansion.row())) {
            Successor successor = expansion.add(Kind::elected, i);
            lead(model, model.members[i], successor.row());
            successor.judge_change().commit();
        }
    }
}

// True if the member would come back by itself with another release, or would raise a format.
bool would_change(const Model& model, const Member& member, const Byte* row) {
    return model.restarts[member.role] && member.installed != k_no_offset
           && member.running != k_no_offset
           && (row[member.running] != row[member.installed]
               || would_raise(model, member, row[member.installed], row));
}

// Returns for each member whether a step can observe its death or silence now. A fault of another
// member changes nothing until then, so it can wait. A pending halt makes all members observable,
// since the operator looks at each. So do downgrades: they are tried in every state. A member that
// would come back as another one, or raise a format then, is observable.
std::vector<bool> observable_members(const Expansion& expansion, bool any_member_may_die) {
    const Model& model = expansion.model();
    const auto& commands = expansion.commands();
    const auto halts = [](const Command& command) { return command.kind == CommandKind::halt; };
    const bool all = any_member_may_die || std::any_of(commands.begin(), commands.end(), halts);
    std::vector<bool> observable(model.members.size(), all);
    for (Index i = 0; !all && i < model.members.size(); ++i) {
        observable[i] = would_change(model, model.members[i], expansion.row());
    }
    const auto observe = [&](const ActionModel& act, const std::vector<Index>& members) {
        for (const Index member : members) {
            observable[member] = true;
        }
        if (act.member != k_no_index) {
            observable[act.member] = true;
        }
    };
    for (const Command& command : commands) {
        if (!all && command.kind != CommandKind::finish) {
            const ActionModel& act = model.actions[command.action];
            observe(act, judges_guard(command) ? act.observed_before : act.observed_after);
        }
    }
    for (Index i = 0; !all && i < model.actions.size(); ++i) {
        if (expansion.run().status(i) == Status::intended) {
            observe(model.actions[i], model.actions[i].observed_after);
        }
    }
    return observable;
}

// Any observable member that runs may die.
void lose_members(Expansion& expansion, const std::vector<bool>& observable) {
    const Model& model = expansion.model();
    for (Index i = 0; expansion.can_afford(Fault::member) && i < model.members.size(); ++i) {
        const Member& member = model.members[i];
        if (observable[i] && !expansion.is_symmetric_duplicate(i) && member.running != k_no_offset
            && expansion.row()[member.running] != k_absent) {
            Successor successor = expansion.add(Kind::member_dies, i);
            kill_member(model, member, successor.charge(Fault::member).row());
            if (model.has_mutual_laws) {
                successor.judge_change();
            }
            std::move(successor).commit();
        }
    }
}

// Only observable hosts change. Hosts of one member use its representative; shared hosts have none.
void flip_hosts(Expansion& expansion, const std::vector<bool>& observable) {
    const Model& model = expansion.model();
    for (Index i = 0; i < model.hosts.size(); ++i) {
        const auto& members = model.members_on[i];
        const bool is_duplicate =
            members.size() == 1 && expansion.is_symmetric_duplicate(members.front());
        const bool is_observable = std::any_of(
            members.begin(), members.end(), [&](Index member) { return observable[member]; });
        if (!is_duplicate && is_observable
            && (is_lost(expansion, i) || expansion.can_afford(Fault::host))) {
            flip_host(expansion, i);
        }
    }
}

}  // namespace

bool is_lost(const Expansion& expansion, Index host) {
    const Model& model = expansion.model();
    return expansion.row()[model.members[model.members_on[host].front()].unreachable] != 0;
}

// The host stops answering, at the cost of a fault. Or it answers again. Its members run on.
void flip_host(Expansion& expansion, Index host) {
    const Model& model = expansion.model();
    const bool comes_back = is_lost(expansion, host);
    Successor successor = expansion.add(comes_back ? Kind::host_back : Kind::host_lost, host);
    if (!comes_back) {
        successor.charge(Fault::host);
    }
    for (const Index member : model.members_on[host]) {
        successor.row()[model.members[member].unreachable] = comes_back ? 0 : 1;
    }
    std::move(successor).commit();
}

// A host that comes back costs no budget, so hosts are visited as soon as one was lost before.
void expand_environment(Expansion& expansion, bool any_member_may_die) {
    const bool any_in_flight = answer_commands(expansion);
    if (any_in_flight && expansion.can_afford(Fault::crash)
        && !expansion.order().crash_explored_earlier()) {
        expansion.add(Kind::conductor_dies, 0)
            .charge(Fault::crash)
            .apply_to_run(EventType::conductor_started)
            .commit();
    }
    fire_laws(expansion);
    elect_leaders(expansion);
    const bool lost_before = expansion.model().fault_usage_of(expansion.row(), Fault::host) > 0;
    if (expansion.can_afford(Fault::member) || expansion.can_afford(Fault::host) || lost_before) {
        const std::vector<bool> observable = observable_members(expansion, any_member_may_die);
        lose_members(expansion, observable);
        flip_hosts(expansion, observable);
    }
}

// A start on a store that cannot be read leaves the member down, so it is no transition. Without
// budget a start is added only if it violates a property.
void expand_restarts(Expansion& expansion) {
    const Model& model = expansion.model();
    const auto& commands = expansion.commands();
    const bool is_explored =
        expansion.can_afford(Fault::restart)
        && std::none_of(commands.begin(), commands.end(), [](const Command& command) {
               return command.kind == CommandKind::begin;
           });
    const std::uint64_t releases = is_explored ? k_any_value : model.judged_restarts;
    if (releases == 0) {
        return;
    }
    for (Index i = 0; i < model.members.size(); ++i) {
        const Member& member = model.members[i];
        if (member.installed == k_no_offset || !has(releases, expansion.row()[member.installed])
            || !can_restart(model, member, expansion.row())
            || expansion.is_symmetric_duplicate(i)) {
            continue;
        }
        const PropertySet broken = expansion.judge_restart(i);
        if (is_explored || broken != 0) {
            Successor successor = expansion.add(Kind::member_restarts, i);
            successor.blame(broken).charge(Fault::restart);
            start_by_hand(model, member, successor.row());
            is_explored ? std::move(successor).commit() : std::move(successor).commit_as_judged();
        }
    }
}

}  // namespace drydock::checker
