// Conditions: guards before a begin, postconditions after an end, completion checks of an action
// with unknown outcome.
//
// A predicate that is not modelled is nondeterministic: both answers are explored, and a harmful
// "no" costs a failure. A modelled "cannot tell" comes from an unreachable host or an unknown
// value.
#include "checker/explorer.h"

#include <algorithm>

namespace drydock::checker {

using model::Tri;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

// The real conductor reads a guard again until it holds or its time is over. So "no" means that it
// stays false. Any step that makes it true comes first, on another path.
void Explorer::judge_guard(std::size_t action) {
    const Act& act = site_.acts[action];
    const Answer applicability = answer(site_, act.when, row_);
    if (may_skip(applicability)) {
        skip(action);
    }
    if (applicability.modelled == Tri::no) {
        return;
    }
    const Answer guard = answer(site_, act.guard, row_);
    if (applicability.modelled != Tri::yes || guard.modelled != Tri::yes) {
        fail_guard(action, true);
        return;
    }
    hold_guard(action);
    if (guard.open) {
        fail_guard(action, false);
    }
}

void Explorer::skip(std::size_t action) {
    open(Kind::skipped, action);
    move(EventType::facts_read, action, Outcome::skip, Purpose::guard);
    close(action);
}

void Explorer::fail_guard(std::size_t action, bool free) {
    if (!free && !can_afford(Fault::failure)) {
        return;
    }
    if (free) {
        open(Kind::judged_no, action);
    } else {
        open(Kind::judged_no, action, Fault::failure);
    }
    move(EventType::facts_read, action, Outcome::no, Purpose::guard);
    close(action);
}

// Guards that are evaluated on one reading hold together. If this begin takes members down, other
// guards may still be evaluated before it, on the same reading: that is how two stops break the
// quorum although each looked. Else the guard and the begin are one step.
void Explorer::hold_guard(std::size_t action) {
    if (is_crowded(action) || order_.begin_is_told(action)) {
        return;
    }
    const Act& act = site_.acts[action];
    open(Kind::judged_yes, action);
    move(EventType::facts_read, action, Outcome::yes, Purpose::guard);
    bool doubt = false;
    if (site_.program.is_gate(action)) {
        move(EventType::soak_started, action);
        move(EventType::gate_opened, action);
    } else if (there_.status(action) == Status::acted) {
        keep_promise(action, doubt);
    } else if (there_.status(action) == Status::ready
               && (!act.takes_down || act.guard.empty() || (guards_ == 1 && !hurry_))) {
        set_off(action);
    }
    close(action);
    if (doubt) {
        break_promise(action, Kind::judged_yes, false);
    }
}

// Observes certain postconditions in the same step. If a law may fire now, they are left to a later
// step, because the law may change them first. `doubt` is set if a postcondition is not modelled
// and a failure is affordable.
void Explorer::keep_promise(std::size_t action, bool& doubt) {
    if (std::any_of(site_.rises.begin(), site_.rises.end(), [&](const Rise& rise) {
            return may_fire(site_, rise, next_);
        })) {
        return;
    }
    const Answer then = answer(site_, site_.acts[action].then, next_);
    if (then.modelled == Tri::yes) {
        prove_copies(site_, action, next_);
        move(EventType::facts_read, action, Outcome::yes, Purpose::then);
        doubt = then.open && can_afford(Fault::failure);
    }
}

// Adds the successor in which the action took place but its postconditions are not observed in
// time.
void Explorer::break_promise(std::size_t action, Kind kind, bool effect) {
    open(Kind::broken, action, Fault::failure);
    if (kind == Kind::judged_yes) {
        move(EventType::facts_read, action, Outcome::yes, Purpose::guard);
    } else {
        move(EventType::action_ended, action, Outcome::done);
    }
    if (effect) {
        out_->broken(out_->size() - 1) |= take_effect(site_, action, next_);
    }
    move(EventType::facts_read, action, Outcome::no, Purpose::then);
    close(action);
}

void Explorer::see_kept(std::size_t action) {
    open(Kind::kept, action);
    prove_copies(site_, action, next_);
    move(EventType::facts_read, action, Outcome::yes, Purpose::then);
    close(action);
}

// Postconditions of an action that has ended: observed, missed, or both if they are not modelled. A
// miss costs a failure only where it is a guess.
void Explorer::judge_then(std::size_t action) {
    const Answer then = answer(site_, site_.acts[action].then, row_);
    if (then.modelled == Tri::yes) {
        see_kept(action);
    }
    const bool doubt = then.modelled == Tri::yes && then.open && can_afford(Fault::failure);
    if (then.modelled != Tri::yes || doubt) {
        open(Kind::broken, action);
        if (doubt) {
            ++site_.used_of(next_, Fault::failure);
        }
        const bool no = then.modelled != Tri::cannot_tell;
        move(EventType::facts_read, action, no ? Outcome::no : Outcome::cannot_tell, Purpose::then);
        close(action);
    }
}

void Explorer::probe(std::size_t action, Kind kind, Outcome outcome) {
    open(kind, action);
    move(EventType::facts_read, action, outcome, Purpose::happened);
    close(action);
}

// A completion check that is not modelled tells the truth about an unrepeatable action, since the
// row knows whether it ran. About other actions it may say either.
void Explorer::judge_happened(std::size_t action) {
    const Act& act = site_.acts[action];
    const Answer happened = answer(site_, act.happened, row_);
    if (act.happened.empty() || happened.modelled == Tri::cannot_tell) {
        probe(action, Kind::nobody_knows, Outcome::cannot_tell);
        return;
    }
    const bool certain = happened.open && act.ran != k_nowhere;
    const bool ran = certain && row_[act.ran] != 0;
    if (happened.modelled == Tri::yes && (!certain || ran)) {
        probe(action, Kind::happened, Outcome::yes);
    }
    if (happened.modelled == Tri::no || (happened.open && !ran)) {
        probe(action, Kind::not_happened, Outcome::no);
    }
}

}  // namespace drydock::checker
