// To all other actions, a lost local action and one that begins again later look the same. So the
// lost one is resolved first, and no other step comes between. The model knows which actions are
// local; see independence.cpp.
#include "checker/local_actions.h"

#include "checker/postconditions.h"

#include <algorithm>

namespace drydock::checker {

using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

namespace {

// True if the completion check says the same now as after any other step. Its host cannot be lost
// any more; or it is unreachable, and the check will say "no" once it is back. Random plans found
// the gap: a check that lies may say otherwise later.
bool is_probe_resolved(Expansion& expansion, Index action) {
    const ActionModel& act = expansion.model().acts[action];
    if (act.happened.empty()) {
        return true;
    }
    if (!expansion.is_unreachable(action)) {
        return !expansion.can_afford(Fault::host);
    }
    const Evaluation happened = expansion.evaluate_reachable(action, act.happened);
    return happened.modelled == Truth::no && !happened.open;
}

// True if the result would be the same after any other step. A host that may still be lost could
// change it, so such an action waits.
bool is_resolved(Expansion& expansion, Index action) {
    const Status status = expansion.run().status(action);
    if (status == Status::recheck) {
        return expansion.is_unreachable(action) || !expansion.can_afford(Fault::host);
    }
    if (status == Status::lost && !expansion.is_unreachable(action)) {
        return true;
    }
    return (status == Status::lost || status == Status::unsure)
           && is_probe_resolved(expansion, action);
}

// True if an action has failed: then no further action begins and the run will halt.
bool is_stopping(const run::State& run) {
    const auto cells = run.of_actions();
    return std::any_of(cells.begin(), cells.end(), [](run::State::Cell cell) {
        return has_failed(run::State::status_in(cell));
    });
}

// The host of a lost action is unreachable. Either it comes back in time, which equals an action
// that never began. Or the outcome stays unknown and the run stops; that successor is left out if
// the run stops anyway.
void resolve_unreachable(Expansion& expansion, Index action) {
    expansion.add(TransitionKind::never_begun, action)
        .apply(EventType::action_attached, Outcome::none)
        .commit();
    if (!is_stopping(expansion.run())) {
        expansion.add(TransitionKind::no_answer, action)
            .apply(EventType::action_ended, Outcome::unknown)
            .apply(EventType::facts_read, Outcome::cannot_tell, Purpose::happened)
            .commit();
    }
}

// After a resume the postconditions are read again. They hold; or they do not, and the action
// begins again or fails; or the host stays unreachable and the run stops. The last successor is
// left out if the run stops anyway.
void resolve_recheck(Expansion& expansion, Index action) {
    const auto& then = expansion.model().acts[action].then;
    if (expansion.evaluate_reachable(action, then).modelled == Truth::yes) {
        observe_postconditions(expansion, action);
    }
    expansion.add_judgement(TransitionKind::broken, action, Purpose::then, Outcome::no);
    if (expansion.is_unreachable(action) && !is_stopping(expansion.run())) {
        expansion.add_judgement(
            TransitionKind::broken, action, Purpose::then, Outcome::cannot_tell);
    }
}

}  // namespace

bool resolve_local_action(Expansion& expansion,
                          const std::vector<Command>& commands,
                          ConductorSteps& conductor) {
    const auto lost = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
        const bool concerns_one =
            command.what == CommandKind::ask || command.what == CommandKind::judge;
        return concerns_one && expansion.model().acts[command.action].quiet
               && is_resolved(expansion, command.action);
    });
    if (lost == commands.end()) {
        return false;
    }
    if (expansion.run().status(lost->action) == Status::recheck) {
        resolve_recheck(expansion, lost->action);
    } else if (lost->what == CommandKind::ask && expansion.is_unreachable(lost->action)) {
        resolve_unreachable(expansion, lost->action);
    } else {
        conductor.expand(*lost);
    }
    return true;
}

}  // namespace drydock::checker
