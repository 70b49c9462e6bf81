// The commands of the conductor: guards before a begin, begins, questions, completion checks of
// actions with unknown outcome, approvals, the end of the run.
//
// A predicate that is not modelled is nondeterministic: both answers are explored, and a harmful
// "no" costs a failure. A modelled "cannot tell" comes from an unreachable host or an unknown
// value.
#include "checker/conductor_steps.h"

#include "checker/host_answers.h"
#include "checker/postconditions.h"

#include <utility>

namespace drydock::checker {

using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

bool judges_guard(const Command& command) {
    return command.what == CommandKind::judge && command.purpose == Purpose::guard;
}

// True if `applies_if` is false, or is not modelled and may be false.
bool can_skip(const Evaluation& applicability) {
    return applicability.modelled == Truth::no
           || (applicability.open && applicability.modelled == Truth::yes);
}

void skip(Expansion& expansion, Index action) {
    expansion.add_judgement(TransitionKind::skipped, action, Purpose::guard, Outcome::skip);
}

// Soaks and pauses have no transitions: time is not modelled.
void ConductorSteps::expand(const Command& command) {
    const Index action = command.action;
    switch (command.what) {
    case CommandKind::judge:
        judge(command);
        break;
    case CommandKind::begin:
        expansion_.add(TransitionKind::begun, action).dispatch().commit();
        break;
    case CommandKind::ask:
        HostAnswers(expansion_, order_).answer_question(action);
        break;
    case CommandKind::await_person:
        expansion_.add(TransitionKind::approved, action).apply(EventType::gate_approved).commit();
        break;
    case CommandKind::halt:
        expansion_.add(TransitionKind::halted, action).apply_to_run(EventType::run_halted).commit();
        break;
    case CommandKind::finish:
        expansion_.add(TransitionKind::finished, 0).apply_to_run(EventType::run_finished).commit();
        break;
    case CommandKind::soak:        // is begun with the guard that held
    case CommandKind::await_soak:  // ends at once
    case CommandKind::pause:       // no operator asks for one
        break;
    }
}

void ConductorSteps::judge(const Command& command) {
    if (command.purpose == Purpose::guard) {
        judge_guard(command.action);
    } else if (command.purpose == Purpose::then) {
        judge_postconditions(expansion_, command.action);
    } else {
        judge_completion(command.action);
    }
}

// The real conductor reads a guard again until it holds or its time is over. So "no" means that it
// stays false. Any step that makes it true comes first, on another path.
void ConductorSteps::judge_guard(Index action) {
    const ActionModel& act = expansion_.model().acts[action];
    const Evaluation applicability = expansion_.evaluate(act.when);
    if (can_skip(applicability)) {
        skip(expansion_, action);
    }
    if (applicability.modelled == Truth::no) {
        return;
    }
    const Evaluation guard = expansion_.evaluate(act.guard);
    if (applicability.modelled != Truth::yes || guard.modelled != Truth::yes) {
        fail_guard(action, false);
        return;
    }
    hold_guard(action);
    if (guard.open && expansion_.can_afford(Fault::failure)) {
        fail_guard(action, true);
    }
}

// A guess costs a failure.
void ConductorSteps::fail_guard(Index action, bool is_guess) {
    Successor successor = expansion_.add(TransitionKind::judged_no, action);
    if (is_guess) {
        successor.charge(Fault::failure);
    }
    std::move(successor).apply(EventType::facts_read, Outcome::no, Purpose::guard).commit();
}

// Guards that are evaluated on one reading hold together. If this begin takes members down, other
// guards may still be evaluated before it, on the same reading: that is how two stops break the
// quorum although each looked. Else the guard and the begin are one step.
void ConductorSteps::hold_guard(Index action) {
    if (limit_.is_surplus(action) || order_.begin_explored_earlier(action)) {
        return;
    }
    const Model& model = expansion_.model();
    const ActionModel& act = model.acts[action];
    Successor successor = expansion_.add(TransitionKind::judged_yes, action);
    successor.apply(EventType::facts_read, Outcome::yes, Purpose::guard);
    bool is_doubtful = false;
    if (model.program.is_gate(action)) {
        successor.apply(EventType::soak_started).apply(EventType::gate_opened);
    } else if (successor.status() == Status::applied) {
        is_doubtful = observe_at_once(expansion_, successor);
    } else if (successor.status() == Status::ready
               && (!act.stops_members || act.guard.empty() || guard_is_alone_)) {
        successor.dispatch();
    }
    std::move(successor).commit();
    if (is_doubtful) {
        expansion_.add(TransitionKind::broken, action)
            .charge(Fault::failure)
            .apply(EventType::facts_read, Outcome::yes, Purpose::guard)
            .apply(EventType::facts_read, Outcome::no, Purpose::then)
            .commit();
    }
}

// A completion check that is not modelled tells the truth about an unrepeatable action, since the
// row knows whether it ran. About other actions it may say either.
void ConductorSteps::judge_completion(Index action) {
    const ActionModel& act = expansion_.model().acts[action];
    const Evaluation happened = expansion_.evaluate(act.happened);
    const auto complete = [&](TransitionKind kind, Outcome outcome) {
        expansion_.add_judgement(kind, action, Purpose::happened, outcome);
    };
    if (act.happened.empty() || happened.modelled == Truth::cannot_tell) {
        complete(TransitionKind::completion_unknown, Outcome::cannot_tell);
        return;
    }
    const bool certain = happened.open && act.ran != k_no_offset;
    const bool ran = certain && expansion_.row()[act.ran] != 0;
    if (happened.modelled == Truth::yes && (!certain || ran)) {
        complete(TransitionKind::happened, Outcome::yes);
    }
    if (happened.modelled == Truth::no || (happened.open && !ran)) {
        complete(TransitionKind::not_completed, Outcome::no);
    }
}

}  // namespace drydock::checker
