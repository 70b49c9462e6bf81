// Conditions: guards before a begin, postconditions after an end, completion checks of an action
// with unknown outcome.
//
// A predicate that is not modelled is nondeterministic: both answers are explored, and a harmful
// "no" costs a failure. A modelled "cannot tell" comes from an unreachable host or an unknown
// value.
#include "checker/successors.h"

#include <algorithm>

namespace drydock::checker {

using model::Truth;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

// The real conductor reads a guard again until it holds or its time is over. So "no" means that it
// stays false. Any step that makes it true comes first, on another path.
void SuccessorGenerator::judge_guard(std::size_t action) {
    const ActionModel& act = model_.acts[action];
    const Evaluation applicability = answer(model_, act.when, row_);
    if (can_skip(applicability)) {
        skip(action);
    }
    if (applicability.modelled == Truth::no) {
        return;
    }
    const Evaluation guard = answer(model_, act.guard, row_);
    if (applicability.modelled != Truth::yes || guard.modelled != Truth::yes) {
        fail_guard(action, true);
        return;
    }
    hold_guard(action);
    if (guard.open) {
        fail_guard(action, false);
    }
}

void SuccessorGenerator::skip(std::size_t action) {
    open(TransitionKind::skipped, action);
    move(EventType::facts_read, action, Outcome::skip, Purpose::guard);
    close(action);
}

void SuccessorGenerator::fail_guard(std::size_t action, bool free) {
    if (!free && !can_afford(Fault::failure)) {
        return;
    }
    if (free) {
        open(TransitionKind::judged_no, action);
    } else {
        open(TransitionKind::judged_no, action, Fault::failure);
    }
    move(EventType::facts_read, action, Outcome::no, Purpose::guard);
    close(action);
}

// Guards that are evaluated on one reading hold together. If this begin takes members down, other
// guards may still be evaluated before it, on the same reading: that is how two stops break the
// quorum although each looked. Else the guard and the begin are one step.
void SuccessorGenerator::hold_guard(std::size_t action) {
    if (is_surplus(action) || order_.begin_explored_earlier(action)) {
        return;
    }
    const ActionModel& act = model_.acts[action];
    open(TransitionKind::judged_yes, action);
    move(EventType::facts_read, action, Outcome::yes, Purpose::guard);
    bool doubt = false;
    if (model_.program.is_gate(action)) {
        move(EventType::soak_started, action);
        move(EventType::gate_opened, action);
    } else if (successor_.status(action) == Status::applied) {
        meet_postconditions(action, doubt);
    } else if (successor_.status(action) == Status::ready
               && (!act.stops_members || act.guard.empty() || (guards_ == 1 && !begin_only_))) {
        dispatch(action);
    }
    close(action);
    if (doubt) {
        miss_postconditions(action, TransitionKind::judged_yes, false);
    }
}

// Observes certain postconditions in the same step. If a law may fire now, they are left to a later
// step, because the law may change them first. `doubt` is set if a postcondition is not modelled
// and a failure is affordable.
void SuccessorGenerator::meet_postconditions(std::size_t action, bool& doubt) {
    if (std::any_of(model_.rises.begin(), model_.rises.end(), [&](const FormatTransition& rise) {
            return can_fire(model_, rise, successor_row_);
        })) {
        return;
    }
    const Evaluation then = answer(model_, model_.acts[action].then, successor_row_);
    if (then.modelled == Truth::yes) {
        verify_copies(model_, action, successor_row_);
        move(EventType::facts_read, action, Outcome::yes, Purpose::then);
        doubt = then.open && can_afford(Fault::failure);
    }
}

// Adds the successor in which the action took place but its postconditions are not observed in
// time.
void SuccessorGenerator::miss_postconditions(std::size_t action, TransitionKind kind, bool effect) {
    open(TransitionKind::broken, action, Fault::failure);
    if (kind == TransitionKind::judged_yes) {
        move(EventType::facts_read, action, Outcome::yes, Purpose::guard);
    } else {
        move(EventType::action_ended, action, Outcome::done);
    }
    if (effect) {
        successors_->broken(successors_->size() - 1) |= take_effect(model_, action, successor_row_);
    }
    move(EventType::facts_read, action, Outcome::no, Purpose::then);
    close(action);
}

void SuccessorGenerator::observe_postconditions(std::size_t action) {
    open(TransitionKind::kept, action);
    verify_copies(model_, action, successor_row_);
    move(EventType::facts_read, action, Outcome::yes, Purpose::then);
    close(action);
}

// Postconditions of an action that has ended: observed, missed, or both if they are not modelled. A
// miss costs a failure only where it is a guess.
void SuccessorGenerator::judge_postconditions(std::size_t action) {
    const Evaluation then = answer(model_, model_.acts[action].then, row_);
    if (then.modelled == Truth::yes) {
        observe_postconditions(action);
    }
    const bool doubt = then.modelled == Truth::yes && then.open && can_afford(Fault::failure);
    if (then.modelled != Truth::yes || doubt) {
        open(TransitionKind::broken, action);
        if (doubt) {
            ++model_.fault_usage_of(successor_row_, Fault::failure);
        }
        const bool no = then.modelled != Truth::cannot_tell;
        move(EventType::facts_read, action, no ? Outcome::no : Outcome::cannot_tell, Purpose::then);
        close(action);
    }
}

void SuccessorGenerator::probe(std::size_t action, TransitionKind kind, Outcome outcome) {
    open(kind, action);
    move(EventType::facts_read, action, outcome, Purpose::happened);
    close(action);
}

// A completion check that is not modelled tells the truth about an unrepeatable action, since the
// row knows whether it ran. About other actions it may say either.
void SuccessorGenerator::judge_completion(std::size_t action) {
    const ActionModel& act = model_.acts[action];
    const Evaluation happened = answer(model_, act.happened, row_);
    if (act.happened.empty() || happened.modelled == Truth::cannot_tell) {
        probe(action, TransitionKind::completion_unknown, Outcome::cannot_tell);
        return;
    }
    const bool certain = happened.open && act.ran != k_no_offset;
    const bool ran = certain && row_[act.ran] != 0;
    if (happened.modelled == Truth::yes && (!certain || ran)) {
        probe(action, TransitionKind::happened, Outcome::yes);
    }
    if (happened.modelled == Truth::no || (happened.open && !ran)) {
        probe(action, TransitionKind::not_completed, Outcome::no);
    }
}

}  // namespace drydock::checker
