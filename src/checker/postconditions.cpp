// A postcondition that is not modelled is nondeterministic: both answers are explored, and "no"
// costs a failure.
#include "checker/postconditions.h"

#include <algorithm>

namespace drydock::checker {

using model::Truth;
using run::EventType;
using run::Outcome;
using run::Purpose;

// If a law may fire now, the observation is left to a later step, because the law may change the
// facts first.
bool observe_at_once(const Expansion& expansion, Successor& successor) {
    const Model& model = expansion.model();
    if (std::any_of(model.rises.begin(), model.rises.end(), [&](const FormatTransition& rise) {
            return can_fire(model, rise, successor.row());
        })) {
        return false;
    }
    const Evaluation then = answer(model, model.acts[successor.action()].then, successor.row());
    if (then.modelled != Truth::yes) {
        return false;
    }
    successor.verify_copies().apply(EventType::facts_read, Outcome::yes, Purpose::then);
    return then.open && expansion.can_afford(Fault::failure);
}

void observe_postconditions(Expansion& expansion, Index action) {
    expansion.add(TransitionKind::kept, action)
        .verify_copies()
        .apply(EventType::facts_read, Outcome::yes, Purpose::then)
        .commit();
}

void judge_postconditions(Expansion& expansion, Index action) {
    const Evaluation then = expansion.evaluate(expansion.model().acts[action].then);
    if (then.modelled != Truth::yes) {
        const bool no = then.modelled == Truth::no;
        expansion.add_judgement(
            TransitionKind::broken, action, Purpose::then, no ? Outcome::no : Outcome::cannot_tell);
        return;
    }
    observe_postconditions(expansion, action);
    if (then.open && expansion.can_afford(Fault::failure)) {
        expansion.add(TransitionKind::broken, action)
            .charge(Fault::failure)
            .apply(EventType::facts_read, Outcome::no, Purpose::then)
            .commit();
    }
}

}  // namespace drydock::checker
