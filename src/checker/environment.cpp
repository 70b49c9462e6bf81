// The environment and the operator.
//
// A fault that no step can observe yet is delayed until one can (find_observable_members()). That
// is a persistent set: an unobserved fault commutes with every other step. docs/design/0004, "Order
// that is left out", has the argument.
#include "checker/environment.h"

#include "checker/conductor_steps.h"
#include "checker/host_answers.h"

#include <algorithm>
#include <utility>

namespace drydock::checker {

using run::Command;
using run::CommandKind;
using run::EventType;
using run::Status;

namespace {

// Answers all commands in flight. Returns true if there are any.
bool answer_commands(Expansion& expansion, PartialOrderReduction& order) {
    HostAnswers hosts(expansion, order);
    bool any_in_flight = false;
    const auto cells = expansion.run().of_actions();
    for (Index i = 0; i < cells.size(); ++i) {
        if (run::State::status_in(cells[i]) == Status::intended) {
            any_in_flight = true;
            if (!expansion.is_symmetric_duplicate(expansion.model().acts[i].member)) {
                hosts.answer_command(i);
            }
        }
    }
    return any_in_flight;
}

void fire_laws(Expansion& expansion) {
    const Model& model = expansion.model();
    for (Index i = 0; i < model.rises.size(); ++i) {
        if (can_fire(model, model.rises[i], expansion.row())) {
            Successor successor = expansion.add(TransitionKind::law_fires, i);
            fire(model, model.rises[i], successor.row());
            std::move(successor).commit();
        }
    }
}

bool is_host_lost(const Expansion& expansion, Index host) {
    const Model& model = expansion.model();
    return expansion.row()[model.members[model.members_on[host].front()].away] != 0;
}

// Lets the host answer again, or lets it be lost. Its members run on.
void flip_host(Expansion& expansion, Index host) {
    const Model& model = expansion.model();
    const bool is_lost = is_host_lost(expansion, host);
    Successor successor =
        expansion.add(is_lost ? TransitionKind::host_back : TransitionKind::host_lost, host);
    if (!is_lost) {
        successor.charge(Fault::host);
    }
    for (const Index member : model.members_on[host]) {
        successor.row()[model.members[member].away] = is_lost ? 0 : 1;
    }
    std::move(successor).commit();
}

}  // namespace

// A host that comes back costs no budget, so lose_hosts() runs as soon as one host was lost before.
void Environment::expand(Expansion& expansion,
                         PartialOrderReduction& order,
                         const std::vector<Command>& commands) {
    const bool any_in_flight = answer_commands(expansion, order);
    if (any_in_flight && expansion.can_afford(Fault::crash) && !order.crash_explored_earlier()) {
        expansion.add(TransitionKind::conductor_dies, 0)
            .charge(Fault::crash)
            .apply_to_run(EventType::conductor_started)
            .commit();
    }
    fire_laws(expansion);
    const bool lost_before = expansion.model().fault_usage_of(expansion.row(), Fault::host) > 0;
    if (expansion.can_afford(Fault::member) || expansion.can_afford(Fault::host) || lost_before) {
        find_observable_members(expansion, commands);
        lose_members(expansion);
        lose_hosts(expansion);
    }
}

void Environment::observe(const std::vector<Index>& members) {
    for (const Index member : members) {
        observable_members_[member] = true;
    }
}

// An action observes its own member and these.
void Environment::observe_action(const ActionModel& act, const std::vector<Index>& members) {
    observe(members);
    if (act.member != k_no_index) {
        observable_members_[act.member] = true;
    }
}

// Finds the members of which a step can observe the death or silence now. A fault of another member
// changes nothing until then, so it can wait. A pending halt makes all members observable, since
// the operator looks at each. So do downgrades: they are tried in every state.
void Environment::find_observable_members(const Expansion& expansion,
                                          const std::vector<Command>& commands) {
    const Model& model = expansion.model();
    const bool halts = std::any_of(commands.begin(), commands.end(), [](const Command& command) {
        return command.what == CommandKind::halt;
    });
    observable_members_.assign(model.members.size(), any_member_may_die_ || halts);
    if (any_member_may_die_ || halts) {
        return;
    }
    for (const Command& command : commands) {
        const ActionModel& act = model.acts[command.action];
        if (command.what != CommandKind::finish) {
            observe_action(act, judges_guard(command) ? act.observed_before : act.observed_after);
        }
    }
    for (Index i = 0; i < model.acts.size(); ++i) {
        if (expansion.run().status(i) == Status::intended) {
            observe_action(model.acts[i], model.acts[i].observed_after);
        }
    }
}

// Any observable member that runs may die.
void Environment::lose_members(Expansion& expansion) const {
    const Model& model = expansion.model();
    for (Index i = 0; expansion.can_afford(Fault::member) && i < model.members.size(); ++i) {
        const Member& member = model.members[i];
        if (observable_members_[i] && !expansion.is_symmetric_duplicate(i)
            && member.running != k_no_offset && expansion.row()[member.running] != k_absent) {
            Successor successor = expansion.add(TransitionKind::member_dies, i);
            successor.charge(Fault::member);
            die(model, member, successor.row());
            std::move(successor).commit();
        }
    }
}

// An observable host stops answering, or answers again. Hosts of one member use its representative;
// shared hosts have none.
void Environment::lose_hosts(Expansion& expansion) const {
    const Model& model = expansion.model();
    for (Index i = 0; i < model.hosts.size(); ++i) {
        const auto& members = model.members_on[i];
        if (members.size() == 1 && expansion.is_symmetric_duplicate(members.front())) {
            continue;
        }
        const bool is_observable = std::any_of(members.begin(), members.end(), [&](Index member) {
            return observable_members_[member];
        });
        if (is_observable && (is_host_lost(expansion, i) || expansion.can_afford(Fault::host))) {
            flip_host(expansion, i);
        }
    }
}

namespace {

// The operator says of each failed action whether it ran.
void resume(Expansion& expansion) {
    const Model& model = expansion.model();
    Successor successor = expansion.add(TransitionKind::resumed, 0);
    successor.apply_to_run(EventType::run_resumed);
    for (Index i = 0; i < model.acts.size(); ++i) {
        if (expansion.run().status(i) == Status::failed && model.acts[i].ran != k_no_offset) {
            successor.row()[model.acts[i].ran] = 0;
        }
    }
    std::move(successor).commit();
}

}  // namespace

// Starts and hosts come before the resume, one at a time, in any order.
void expand_operator_repairs(Expansion& expansion) {
    const Model& model = expansion.model();
    resume(expansion);
    for (Index i = 0; i < model.members.size(); ++i) {
        if (!expansion.is_symmetric_duplicate(i) && model.expected_up(expansion.row(), i)
            && can_be_started(model, model.members[i], expansion.row())) {
            Successor successor = expansion.add(TransitionKind::member_started, i);
            start_by_hand(model, model.members[i], successor.row());
            std::move(successor).commit();
        }
    }
    for (Index i = 0; i < model.hosts.size(); ++i) {
        if (is_host_lost(expansion, i)) {
            flip_host(expansion, i);
        }
    }
}

}  // namespace drydock::checker
