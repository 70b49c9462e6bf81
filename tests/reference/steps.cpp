// The conductor's steps: guards, commands, and what it reads afterwards.
#include "reference/steps.h"

#include "reference/commands.h"
#include "reference/half_done.h"
#include "reference/stepper.h"
#include "run/expected_facts.h"

#include <algorithm>

namespace drydock::reference {

using model::Action;
using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

namespace {

bool is_guard(const Command& command) {
    return command.kind == CommandKind::judge && command.purpose == Purpose::guard;
}

}  // namespace

Stepper::Stepper(Model& model, const World& world, const checker::Faults& faults, Pace pace)
    : model_(model)
    , brisk_(pace == Pace::brisk)
    , here_(world)
    , state_(model.state(world))
    , up_(run::members_up(model.plan, state_))
    , budgets_{faults.failures,
               faults.unknown,
               faults.crashes,
               faults.member,
               faults.host,
               faults.restart} {
    for (const auto& [role, members] : up_) {
        all_up_.insert(members.begin(), members.end());
    }
}

std::vector<Step> Stepper::all() {
    if (state_.phase() == run::Phase::halted) {
        after_halt();
    } else {
        obey_commands();
    }
    return std::move(steps_);
}

void Stepper::obey_commands() {
    const auto commands = run::next(model_.program, state_);
    const bool leaving = std::any_of(commands.begin(), commands.end(), [](const auto& one) {
        return one.kind == CommandKind::begin;
    });
    const auto guards = std::count_if(commands.begin(), commands.end(), is_guard);
    for (const Command& command : commands) {
        if (!leaving || command.kind == CommandKind::begin || is_guard(command)) {
            obey(command, guards == 1 && !leaving);
        }
    }
    if (!leaving && state_.phase() == run::Phase::running) {
        things_happen(any_host_answers());
    }
}

void Stepper::move(EventType type, std::size_t index, Outcome outcome, Purpose purpose) {
    run::State state = model_.state(to());
    const int more = type == EventType::action_intended ? 1 : 0;
    const int attempt = state.attempt(index) + more;
    run::apply(model_.program, state, {type, index, attempt, outcome, purpose});
    model_.keep(to(), state);
}

void Stepper::obey(const Command& command, bool alone) {
    if (is_guard(command)) {
        judge_guard(command.action, alone);
    } else if (command.kind == CommandKind::judge && command.purpose == Purpose::then) {
        judge_then(command.action);
    } else if (command.kind == CommandKind::judge) {
        judge_happened(command.action);
    } else if (command.kind == CommandKind::begin) {
        step("begun", command.action);
        send(command.action);
    } else if (command.kind == CommandKind::ask) {
        ask(command.action);
    } else if (command.kind == CommandKind::await_person) {
        step("approved", command.action);
        move(EventType::gate_approved, command.action);
    } else if (command.kind == CommandKind::halt) {
        step("halted", command.action);
        move(EventType::run_halted);
    } else if (command.kind == CommandKind::finish) {
        finish();
    }
}

void Stepper::finish() {
    const model::Plan& plan = model_.plan;
    step("finished");
    move(EventType::run_finished);
    if (leaves_behind(model_, plan.temporaries, !plan.reverts_run.empty(), here_)) {
        blame({checker::Property::left_behind});
    }
}

void Stepper::send(std::size_t index) {
    blame(leave(model_, index, here_));
    move(EventType::action_intended, index);
    change([&] { begin_half_done(model_, index, to()); });
}

void Stepper::judge_guard(std::size_t index, bool alone) {
    const Answer when = judge_conditions(action(index).applies_if, index);
    if (when.told == Truth::no || (when.open && holds(when))) {
        step("skipped", index);
        move(EventType::facts_read, index, Outcome::skip, Purpose::guard);
    }
    if (when.told == Truth::no) {
        return;
    }
    const Answer guard = judge_conditions(action(index).preconditions, index);
    const bool good = holds(when) && holds(guard);
    if (good) {
        pass_guard(index, alone);
    }
    if (!good || (guard.open && can(k_failure))) {
        step("judged_no", index);
        move(EventType::facts_read, index, Outcome::no, Purpose::guard);
        if (good) {
            pay(k_failure);
        }
    }
}

void Stepper::pass_guard(std::size_t index, bool alone) {
    step("judged_yes", index);
    move(EventType::facts_read, index, Outcome::yes, Purpose::guard);
    const Status status = model_.state(to()).status(index);
    if (action(index).is_gate()) {
        move(EventType::soak_started, index);
        move(EventType::gate_opened, index);
    } else if (status == Status::ready && (alone || leaves_at_once(index))) {
        send(index);
    } else if (status == Status::applied && brisk_ && keep_promise(index)) {
        step("broken", index);
        move(EventType::facts_read, index, Outcome::yes, Purpose::guard);
        break_promise(index);
    }
}

bool Stepper::leaves_at_once(std::size_t index) const {
    const Action& one = action(index);
    const bool is_asked =
        takes_down(model_, one) || moves_votes(model_, one) || !one.meanwhile.empty();
    return brisk_ ? !is_asked || one.preconditions.empty()
                  : one.preconditions.empty() && one.applies_if.empty();
}

// A law may fire, or somebody may come to lead.
bool Stepper::is_unsettled() {
    const auto members = model_.plan.members();
    return std::any_of(model_.rises.begin(),
                       model_.rises.end(),
                       [&](const Rise& rise) { return may_fire(model_, rise, to()); })
           || std::any_of(members.begin(), members.end(), [&](const std::string& member) {
                  return may_be_elected(model_, member, to());
              });
}

// What is certain is seen at once, unless something may happen before. Whether it might be doubted
// as well.
bool Stepper::keep_promise(std::size_t index) {
    const auto up = run::members_up(model_.plan, model_.state(to()));
    const Answer then =
        answer(model_, action(index).postconditions, action(index).member, to(), up);
    if (!holds(then) || is_unsettled()) {
        return false;
    }
    prove_copies(model_, index, to());
    move(EventType::facts_read, index, Outcome::yes, Purpose::then);
    return then.open && can(k_failure);
}

void Stepper::break_promise(std::size_t index) {
    pay(k_failure);
    move(EventType::facts_read, index, Outcome::no, Purpose::then);
}

void Stepper::judge_then(std::size_t index) {
    const Answer then = judge_conditions(action(index).postconditions, index);
    const bool good = holds(then);
    if (good) {
        step("kept", index);
        prove_copies(model_, index, to());
        move(EventType::facts_read, index, Outcome::yes, Purpose::then);
    }
    if (!good || (then.open && can(k_failure))) {
        const bool no = then.told != Truth::cannot_tell;
        step("broken", index);
        move(EventType::facts_read, index, no ? Outcome::no : Outcome::cannot_tell, Purpose::then);
        if (good) {
            pay(k_failure);
        }
    }
}

void Stepper::tell_happened(const char* what, std::size_t index, Outcome outcome) {
    step(what, index);
    move(EventType::facts_read, index, outcome, Purpose::happened);
}

// A probe that nobody models says anything of what may be repeated. Else it says whether it ran,
// and may be wrong once for each failure.
void Stepper::judge_happened(std::size_t index) {
    const Answer happened = judge_conditions(action(index).completion_check, index);
    if (action(index).completion_check.empty() || happened.told == Truth::cannot_tell) {
        tell_happened("nobody_knows", index, Outcome::cannot_tell);
        return;
    }
    const bool once =
        action(index).repeatable == model::Repeatable::no && !action(index).request.is_null();
    const bool ran = here_.ran.contains(index);
    const bool truth = happened.open && once;
    const bool is_wrong_yes = truth && !ran;
    if (holds(happened) && (!is_wrong_yes || can(k_failure))) {
        tell_happened("happened", index, Outcome::yes);
        if (is_wrong_yes) {
            pay(k_failure);
        }
    }
    const bool is_wrong = truth && ran && holds(happened);
    if (!holds(happened) || (happened.open && (!is_wrong || can(k_failure)))) {
        tell_happened("not_happened", index, Outcome::no);
        if (is_wrong) {
            pay(k_failure);
        }
    }
}

std::vector<Step>
steps(Model& model, const World& world, const checker::Faults& faults, Pace pace) {
    return Stepper(model, world, faults, pace).all();
}

}  // namespace drydock::reference
