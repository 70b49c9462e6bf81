// What happens by itself: deaths, laws that fire, elections, starts that nobody asked for, hosts
// that fall silent. And the person after a halt.
#include "reference/stepper.h"

#include <algorithm>

namespace drydock::reference {

using run::EventType;
using run::Status;

void Stepper::things_happen(bool under_way) {
    if (under_way && can(k_crash)) {
        step("conductor_dies");
        pay(k_crash);
        move(EventType::conductor_started);
    }
    laws_fire();
    members_lead();
    members_die();
    members_start(can(k_restart));
    hosts_come_and_go(can(k_host));
}

void Stepper::laws_fire() {
    for (const Rise& rise : model_.rises) {
        if (may_fire(model_, rise, here_)) {
            step("law_fires " + rise.store->name);
            change([&] { fire(model_, rise, to()); });
        }
    }
}

void Stepper::members_lead() {
    for (const std::string& member : model_.plan.members()) {
        if (may_be_elected(model_, member, here_)) {
            step("elected " + member);
            change([&] { elect(model_, member, to()); });
        }
    }
}

void Stepper::members_die() {
    for (const std::string& member : model_.plan.members()) {
        if (model_.is_up(here_, member) && can(k_member)) {
            step("member_dies " + member);
            pay(k_member);
            kill(member);
        }
    }
}

void Stepper::kill(const std::string& member) {
    change([&] {
        die(model_, member, to());
        settle(model_, to());
    });
}

// Without a budget for it, such a start is only judged: the world stays as it is.
void Stepper::members_start(bool may_stay) {
    for (const std::string& member : model_.plan.members()) {
        if (!model_.is_way_back && restarts(model_, member) && may_start(model_, member, here_)) {
            member_starts(member, may_stay);
        }
    }
}

void Stepper::member_starts(const std::string& member, bool stays) {
    World after = here_;
    Broken broken = start_unasked(model_, member, after);
    if (!stays && broken.empty()) {
        return;
    }
    step("member_restarts " + member);
    blame(std::move(broken));
    if (stays) {
        to() = std::move(after);
        pay(k_restart);
    }
}

void Stepper::hosts_come_and_go(bool go) {
    std::set<std::string> hosts;
    for (const std::string& member : model_.plan.members()) {
        hosts.insert(model_.host_of(member));
    }
    for (const std::string& host : hosts) {
        if (here_.away.contains(host)) {
            step("host_back " + host);
            to().away.erase(host);
        } else if (go) {
            step("host_lost " + host);
            pay(k_host);
            to().away.insert(host);
        }
    }
}

// Nobody judges the person on a way back, who does what serves.
void Stepper::after_halt() {
    resume();
    for (const std::string& member : model_.plan.members()) {
        if (all_up_.contains(member) && !model_.is_away(here_, member)
            && may_start(model_, member, here_)) {
            step("member_started " + member);
            Broken broken = start_unasked(model_, member, to());
            blame(model_.is_way_back ? Broken() : std::move(broken));
        }
    }
    members_start(false);
    hosts_come_and_go(false);
}

// Whether an action that failed ran, is then a person's to say. What was only not seen or not
// reached is looked for again.
void Stepper::resume() {
    step("resumed");
    move(EventType::run_resumed);
    for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
        if (state_.status(i) == Status::failed) {
            to().ran.erase(i);
        }
    }
}

}  // namespace drydock::reference
