// The environment: answers of hosts, deaths, lost hosts, laws that fire, and the operator after a
// halt.
//
// A fault that no step can observe yet is delayed until one can (find_observable_members()). That
// is a persistent set: an unobserved fault commutes with every other step. docs/design/0004, "Order
// that is left out", has the argument.
#include "checker/successors.h"

#include <algorithm>

namespace drydock::checker {

using run::Command;
using run::CommandKind;
using run::EventType;
using run::Status;

// A host that comes back costs no budget, so lose_hosts() runs as soon as one host was lost before.
void SuccessorGenerator::expand_environment() {
    bool any_in_flight = false;
    const auto cells = current_.of_actions();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (run::State::status_in(cells[i]) == Status::intended) {
            any_in_flight = true;
            if (!is_symmetric_duplicate(model_.acts[i].member)) {
                expand_answers(i);
            }
        }
    }
    if (any_in_flight && can_afford(Fault::crash) && !order_.crash_explored_earlier()) {
        open(TransitionKind::conductor_dies, 0, Fault::crash);
        move(EventType::conductor_started, 0);
        close_all();
    }
    for (std::size_t i = 0; i < model_.rises.size(); ++i) {
        if (can_fire(model_, model_.rises[i], row_)) {
            open(TransitionKind::law_fires, i);
            fire(model_, model_.rises[i], successor_row_);
        }
    }
    const bool lost_before = row_[model_.used + static_cast<Offset>(Fault::host)] > 0;
    if (can_afford(Fault::member) || can_afford(Fault::host) || lost_before) {
        find_observable_members();
        lose_members();
        lose_hosts();
    }
}

// Finds the members of which a step can observe the death or silence now. A fault of another member
// changes nothing until then, so it can wait. A pending halt makes all members observable, since
// the operator looks at each. So do downgrades: they are tried in every state.
void SuccessorGenerator::find_observable_members() {
    observable_members_.assign(model_.members.size(), any_member_may_die_);
    const auto concern = [&](const std::vector<int>& members) {
        for (const int member : members) {
            observable_members_[static_cast<std::size_t>(member)] = true;
        }
    };
    for (const Command& command : commands_) {
        if (command.what == CommandKind::halt) {
            observable_members_.assign(model_.members.size(),
                                       true);  // a person will look at all of them
        }
        if (command.what == CommandKind::halt || command.what == CommandKind::finish) {
            continue;
        }
        const ActionModel& act = model_.acts[command.action];
        concern(judges_guard(command) ? act.observed_before : act.observed_after);
        if (act.member >= 0) {
            observable_members_[static_cast<std::size_t>(act.member)] = true;
        }
    }
    for (std::size_t i = 0; i < model_.acts.size(); ++i) {
        if (current_.status(i) == Status::intended) {
            concern(model_.acts[i].observed_after);
            if (model_.acts[i].member >= 0) {
                observable_members_[static_cast<std::size_t>(model_.acts[i].member)] = true;
            }
        }
    }
}

// Any observable member that runs may die.
void SuccessorGenerator::lose_members() {
    for (std::size_t i = 0; can_afford(Fault::member) && i < model_.members.size(); ++i) {
        const Member& member = model_.members[i];
        if (observable_members_[i] && !is_symmetric_duplicate(static_cast<int>(i))
            && member.running != k_no_offset && row_[member.running] != k_absent) {
            open(TransitionKind::member_dies, i, Fault::member);
            die(model_, member, successor_row_);
        }
    }
}

// An observable host stops answering, or answers again. Its members run on. Hosts of one member use
// its representative; shared hosts have none.
void SuccessorGenerator::lose_hosts() {
    for (std::size_t i = 0; i < model_.hosts.size(); ++i) {
        const auto& members = model_.members_on[i];
        if (members.size() == 1 && is_symmetric_duplicate(members.front())) {
            continue;
        }
        const bool is_observable = std::any_of(members.begin(), members.end(), [&](int member) {
            return observable_members_[static_cast<std::size_t>(member)];
        });
        const bool is_lost =
            row_[model_.members[static_cast<std::size_t>(members.front())].away] != 0;
        if (is_observable && is_lost) {
            open(TransitionKind::host_back, i);
        } else if (is_observable && can_afford(Fault::host)) {
            open(TransitionKind::host_lost, i, Fault::host);
        } else {
            continue;
        }
        for (const int member : members) {
            successor_row_[model_.members[static_cast<std::size_t>(member)].away] = is_lost ? 0 : 1;
        }
    }
}

// The operator has three kinds of steps after a halt: resume the run, start a member that should be
// up, bring a host back. Starts and hosts come before the resume, one at a time, in any order.
void SuccessorGenerator::expand_halted() {
    open(TransitionKind::resumed, 0);
    move(EventType::run_resumed, 0);
    for (std::size_t i = 0; i < model_.acts.size(); ++i) {
        if (current_.status(i) == Status::failed && model_.acts[i].ran != k_no_offset) {
            successor_row_[model_.acts[i].ran] = 0;  // the operator says whether it ran
        }
    }
    close_all();
    for (std::size_t i = 0; i < model_.members.size(); ++i) {
        if (!is_symmetric_duplicate(static_cast<int>(i))
            && model_.expected_up(row_, static_cast<int>(i))
            && can_be_started(model_, model_.members[i], row_)) {
            open(TransitionKind::member_started, i);
            start_by_hand(model_, model_.members[i], successor_row_);
        }
    }
    for (std::size_t i = 0; i < model_.hosts.size(); ++i) {
        if (row_[model_.members[static_cast<std::size_t>(model_.members_on[i].front())].away]
            != 0) {
            open(TransitionKind::host_back, i);
            for (const int member : model_.members_on[i]) {
                successor_row_[model_.members[static_cast<std::size_t>(member)].away] = 0;
            }
        }
    }
}

}  // namespace drydock::checker
