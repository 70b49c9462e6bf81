// The environment: answers of hosts, deaths, lost hosts, laws that fire, and the operator after a
// halt.
//
// A fault that no step can observe yet is delayed until one can (find_observable_members()). That
// is a persistent set: an unobserved fault commutes with every other step. docs/design/0004, "Order
// that is left out", has the argument.
#include "checker/explorer.h"

#include <algorithm>

namespace drydock::checker {

using run::Command;
using run::Do;
using run::EventType;
using run::Status;

// A host that comes back costs no budget, so lose_hosts() runs as soon as one host was lost before.
void Explorer::let_things_happen() {
    bool any_in_flight = false;
    const auto cells = here_.of_actions();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (run::State::status_in(cells[i]) == Status::intended) {
            any_in_flight = true;
            if (!is_repeated(site_.acts[i].member)) {
                answer_to(i);
            }
        }
    }
    if (any_in_flight && can_afford(Fault::crash) && !order_.death_is_told()) {
        open(Kind::conductor_dies, 0, Fault::crash);
        move(EventType::conductor_started, 0);
        close_all();
    }
    for (std::size_t i = 0; i < site_.rises.size(); ++i) {
        if (may_fire(site_, site_.rises[i], row_)) {
            open(Kind::law_fires, i);
            fire(site_, site_.rises[i], next_);
        }
    }
    const bool lost_before = row_[site_.used + static_cast<Place>(Fault::host)] > 0;
    if (can_afford(Fault::member) || can_afford(Fault::host) || lost_before) {
        find_concerned();
        lose_members();
        lose_hosts();
    }
}

// Finds the members of which a step can observe the death or silence now. A fault of another member
// changes nothing until then, so it can wait. A pending halt makes all members observable, since
// the operator looks at each. So do downgrades: they are tried in every state.
void Explorer::find_concerned() {
    concerned_.assign(site_.members.size(), everybody_);
    const auto concern = [&](const std::vector<int>& members) {
        for (const int member : members) {
            concerned_[static_cast<std::size_t>(member)] = true;
        }
    };
    for (const Command& command : commands_) {
        if (command.what == Do::halt) {
            concerned_.assign(site_.members.size(), true);  // a person will look at all of them
        }
        if (command.what == Do::halt || command.what == Do::finish) {
            continue;
        }
        const Act& act = site_.acts[command.action];
        concern(judges_guard(command) ? act.concerns_before : act.concerns_after);
        if (act.member >= 0) {
            concerned_[static_cast<std::size_t>(act.member)] = true;
        }
    }
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (here_.status(i) == Status::intended) {
            concern(site_.acts[i].concerns_after);
            if (site_.acts[i].member >= 0) {
                concerned_[static_cast<std::size_t>(site_.acts[i].member)] = true;
            }
        }
    }
}

// Any observable member that runs may die.
void Explorer::lose_members() {
    for (std::size_t i = 0; can_afford(Fault::member) && i < site_.members.size(); ++i) {
        const Member& member = site_.members[i];
        if (concerned_[i] && !is_repeated(static_cast<int>(i)) && member.running != k_nowhere
            && row_[member.running] != k_absent) {
            open(Kind::member_dies, i, Fault::member);
            die(site_, member, next_);
        }
    }
}

// An observable host stops answering, or answers again. Its members run on. Hosts of one member use
// its representative; shared hosts have none.
void Explorer::lose_hosts() {
    for (std::size_t i = 0; i < site_.hosts.size(); ++i) {
        const auto& members = site_.members_on[i];
        if (members.size() == 1 && is_repeated(members.front())) {
            continue;
        }
        const bool is_observable = std::any_of(members.begin(), members.end(), [&](int member) {
            return concerned_[static_cast<std::size_t>(member)];
        });
        const bool is_lost =
            row_[site_.members[static_cast<std::size_t>(members.front())].away] != 0;
        if (is_observable && is_lost) {
            open(Kind::host_back, i);
        } else if (is_observable && can_afford(Fault::host)) {
            open(Kind::host_lost, i, Fault::host);
        } else {
            continue;
        }
        for (const int member : members) {
            next_[site_.members[static_cast<std::size_t>(member)].away] = is_lost ? 0 : 1;
        }
    }
}

// The operator has three kinds of steps after a halt: resume the run, start a member that should be
// up, bring a host back. Starts and hosts come before the resume, one at a time, in any order.
void Explorer::after_halt() {
    open(Kind::resumed, 0);
    move(EventType::run_resumed, 0);
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (here_.status(i) == Status::failed && site_.acts[i].ran != k_nowhere) {
            next_[site_.acts[i].ran] = 0;  // the operator says whether it ran
        }
    }
    close_all();
    for (std::size_t i = 0; i < site_.members.size(); ++i) {
        if (!is_repeated(static_cast<int>(i)) && site_.expected_up(row_, static_cast<int>(i))
            && may_be_started(site_, site_.members[i], row_)) {
            open(Kind::member_started, i);
            start_by_hand(site_, site_.members[i], next_);
        }
    }
    for (std::size_t i = 0; i < site_.hosts.size(); ++i) {
        if (row_[site_.members[static_cast<std::size_t>(site_.members_on[i].front())].away] != 0) {
            open(Kind::host_back, i);
            for (const int member : site_.members_on[i]) {
                next_[site_.members[static_cast<std::size_t>(member)].away] = 0;
            }
        }
    }
}

}  // namespace drydock::checker
