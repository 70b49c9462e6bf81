// Commands of the conductor: guards before a begin, begins, questions, postconditions, completion
// checks of actions with unknown outcome, approvals, the end of the run.
//
// A predicate that is not modelled is nondeterministic: both answers are explored, and a harmful
// "no" costs a failure. A modelled "cannot tell" comes from an unreachable host or an unknown
// value.
#include "checker/successor_rules.h"

#include <algorithm>
#include <utility>

namespace drydock::checker {

using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;
using Kind = TransitionKind;

bool judges_guard(const Command& command) {
    return command.kind == CommandKind::judge && command.purpose == Purpose::guard;
}

// True if `when` is false, or is not modelled and may be false.
bool can_skip(const Evaluation& applicability) {
    return applicability.modelled == Truth::no
           || (applicability.nondeterministic && applicability.modelled == Truth::yes);
}

void skip(Expansion& expansion, Index action) {
    expansion.add(Kind::skipped, action).judge(Purpose::guard, Outcome::skip).commit();
}

// True if the role of some member is without a leader that it may replace.
bool can_elect(const Model& model, const Byte* row) {
    return model.has_mutual_laws
           && std::any_of(model.members.begin(), model.members.end(), [&](const Member& member) {
                  return can_lead(model, member, row);
              });
}

// If a law may fire now, the observation is left to a later step, because the law may change the
// facts first.
bool observe_at_once(const Expansion& expansion, Successor& successor) {
    const Model& model = expansion.model();
    if (std::any_of(model.format_transitions.begin(),
                    model.format_transitions.end(),
                    [&](const FormatTransition& rise) {
                        return rise.waits && can_fire(model, rise, successor.row());
                    })
        || can_elect(model, successor.row())) {
        return false;
    }
    const Evaluation then =
        evaluate(model, model.actions[successor.action()].postconditions, successor.row());
    if (then.modelled != Truth::yes) {
        return false;
    }
    successor.verify_copies().judge(Purpose::then, Outcome::yes);
    return then.nondeterministic && expansion.can_afford(Fault::failure);
}

void observe_postconditions(Expansion& expansion, Index action) {
    expansion.add(Kind::kept, action).verify_copies().judge(Purpose::then, Outcome::yes).commit();
}

namespace {

// True if no begin and no other guard is pending.
bool is_alone(const std::vector<Command>& commands) {
    return std::none_of(commands.begin(),
                        commands.end(),
                        [](const Command& command) { return command.kind == CommandKind::begin; })
           && std::count_if(commands.begin(), commands.end(), judges_guard) == 1;
}

// Guards that are evaluated on one reading hold together. If this begin takes members down, other
// guards may still be evaluated before it, on the same reading: that is how two stops break the
// quorum although each looked. Else the guard and the begin are one step.
void hold_guard(Expansion& expansion, Index action) {
    const Model& model = expansion.model();
    const ActionModel& act = model.actions[action];
    Successor successor = expansion.add(Kind::judged_yes, action);
    successor.judge(Purpose::guard, Outcome::yes);
    bool is_doubtful = false;
    if (model.program.is_gate(action)) {
        successor.apply(EventType::soak_started).apply(EventType::gate_opened);
    } else if (successor.status() == Status::applied) {
        is_doubtful = observe_at_once(expansion, successor);
    } else if (successor.status() == Status::ready
               && (!(act.stops_members || act.moves_votes || act.shows_half_done)
                   || act.preconditions.empty() || is_alone(expansion.commands()))) {
        successor.dispatch();
    }
    std::move(successor).commit();
    if (is_doubtful) {
        expansion.add(Kind::broken, action)
            .charge(Fault::failure)
            .judge(Purpose::guard, Outcome::yes)
            .judge(Purpose::then, Outcome::no)
            .commit();
    }
}

// The real conductor reads a guard again until it holds or its time is over. So "no" means that it
// stays false. Any step that makes it true comes first, on another path.
void judge_guard(Expansion& expansion, Index action, bool is_surplus) {
    const ActionModel& act = expansion.model().actions[action];
    const Evaluation applicability = expansion.evaluate(act.applies_if);
    if (can_skip(applicability)) {
        skip(expansion, action);
    }
    if (applicability.modelled == Truth::no) {
        return;
    }
    const Evaluation guard = expansion.evaluate(act.preconditions);
    if (applicability.modelled != Truth::yes || guard.modelled != Truth::yes) {
        expansion.add(Kind::judged_no, action).judge(Purpose::guard, Outcome::no).commit();
        return;
    }
    if (!is_surplus && !expansion.order().begin_explored_earlier(action)) {
        hold_guard(expansion, action);
    }
    if (guard.nondeterministic && expansion.can_afford(Fault::failure)) {
        expansion.add(Kind::judged_no, action)
            .charge(Fault::failure)
            .judge(Purpose::guard, Outcome::no)
            .commit();
    }
}

// Postconditions are observed, missed, or both if they are not modelled. A miss costs a failure
// only where it is a guess.
void judge_postconditions(Expansion& expansion, Index action) {
    const Evaluation then = expansion.evaluate(expansion.model().actions[action].postconditions);
    if (then.modelled != Truth::yes) {
        const Outcome outcome = then.modelled == Truth::no ? Outcome::no : Outcome::cannot_tell;
        expansion.add(Kind::broken, action).judge(Purpose::then, outcome).commit();
        return;
    }
    observe_postconditions(expansion, action);
    if (then.nondeterministic && expansion.can_afford(Fault::failure)) {
        expansion.add(Kind::broken, action)
            .charge(Fault::failure)
            .judge(Purpose::then, Outcome::no)
            .commit();
    }
}

// A completion check that is not modelled may say either about an action that can be repeated. Of
// an unrepeatable one the row knows whether it ran: a wrong answer about it is a guess, and costs a
// failure.
void judge_completion(Expansion& expansion, Index action) {
    const ActionModel& act = expansion.model().actions[action];
    const Evaluation happened = expansion.evaluate(act.completion_check);
    const auto complete = [&](Kind kind, Outcome outcome) {
        expansion.add(kind, action).judge(Purpose::happened, outcome).commit();
    };
    const auto mistake = [&](Kind kind, Outcome outcome) {
        if (expansion.can_afford(Fault::failure)) {
            expansion.add(kind, action)
                .charge(Fault::failure)
                .judge(Purpose::happened, outcome)
                .commit();
        }
    };
    if (act.completion_check.empty() || happened.modelled == Truth::cannot_tell) {
        complete(Kind::completion_unknown, Outcome::cannot_tell);
        return;
    }
    const bool is_known = happened.nondeterministic && act.ran != k_no_offset;
    const bool ran = is_known && expansion.row()[act.ran] != 0;
    if (happened.modelled == Truth::yes) {
        is_known && !ran ? mistake(Kind::completed, Outcome::yes)
                         : complete(Kind::completed, Outcome::yes);
    }
    if (happened.modelled == Truth::no || (happened.nondeterministic && !ran)) {
        complete(Kind::not_completed, Outcome::no);
    } else if (ran) {
        mistake(Kind::not_completed, Outcome::no);
    }
}

// What the plan has switched for its own time must be as before.
void finish(Expansion& expansion) {
    const bool is_left = !left_behind(expansion.model(), expansion.row()).empty();
    expansion.add(Kind::finished, 0)
        .blame(is_left ? mask_of(Property::left_behind) : PropertySet{0})
        .apply_to_run(EventType::run_finished)
        .commit();
}

void judge(Expansion& expansion, const Command& command, bool is_surplus) {
    if (command.purpose == Purpose::guard) {
        judge_guard(expansion, command.action, is_surplus);
    } else if (command.purpose == Purpose::then) {
        judge_postconditions(expansion, command.action);
    } else {
        judge_completion(expansion, command.action);
    }
}

}  // namespace

// Soaks and pauses have no transitions: time is not modelled.
void expand_command(Expansion& expansion, const Command& command, bool is_surplus) {
    const Index action = command.action;
    switch (command.kind) {
    case CommandKind::judge:
        judge(expansion, command, is_surplus);
        break;
    case CommandKind::begin:
        expansion.add(Kind::begun, action).dispatch().commit();
        break;
    case CommandKind::ask:
        answer_question(expansion, action);
        break;
    case CommandKind::await_person:
        expansion.add(Kind::approved, action).apply(EventType::gate_approved).commit();
        break;
    case CommandKind::halt:
        expansion.add(Kind::halted, action).apply_to_run(EventType::run_halted).commit();
        break;
    case CommandKind::finish:
        finish(expansion);
        break;
    case CommandKind::soak:        // is begun with the guard that held
    case CommandKind::await_soak:  // ends at once
    case CommandKind::pause:       // no operator asks for one
        break;
    }
}

}  // namespace drydock::checker
