// Local actions: no other action can observe the outcome of a local action. To all others, a lost
// one and one that begins again later look the same. So the lost one is resolved before any other
// step. In the literature this is an ample set of one invisible transition. docs/design/0004,
// "Quiet actions", has the argument.
//
// It keeps verdicts, but not the lengths of counterexamples. The model knows which actions are
// local; see model_local_actions.cpp.
#include "checker/successor_rules.h"

#include <algorithm>

namespace drydock::checker {

using model::Truth;
using run::Command;
using run::CommandKind;
using run::Outcome;
using run::Purpose;
using run::Status;
using Kind = TransitionKind;

namespace {

// Evaluates conditions of the action as if its host answered.
Evaluation evaluate_reachable(const Expansion& expansion,
                              Index action,
                              const std::vector<Predicate>& conditions) {
    if (!expansion.is_unreachable(action)) {
        return expansion.evaluate(conditions);
    }
    const Model& model = expansion.model();
    std::vector<Byte> row(expansion.row(), expansion.row() + model.size);
    row[model.members[model.actions[action].member].unreachable] = 0;
    return evaluate(model, conditions, row.data());
}

// True if the completion check says the same now as after any other step. Its host cannot be lost
// any more; or it is unreachable, and the check will say "no" once it is back. Random plans found
// the gap: a check that lies may say otherwise later.
bool is_probe_resolved(const Expansion& expansion, Index action) {
    const ActionModel& act = expansion.model().actions[action];
    if (act.completion_check.empty()) {
        return true;
    }
    if (!expansion.is_unreachable(action)) {
        return !expansion.can_afford(Fault::host);
    }
    const Evaluation happened = evaluate_reachable(expansion, action, act.completion_check);
    return happened.modelled == Truth::no && !happened.nondeterministic;
}

// True if the result would be the same after any other step. A host that may still be lost could
// change it, so such an action waits.
bool is_resolved(const Expansion& expansion, Index action) {
    const Status status = expansion.run().status(action);
    if (status == Status::recheck) {
        return expansion.is_unreachable(action) || !expansion.can_afford(Fault::host);
    }
    if (status == Status::lost && !expansion.is_unreachable(action)) {
        return true;
    }
    return (status == Status::lost || status == Status::outcome_unknown)
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
    expansion.add(Kind::never_begun, action).attach(Outcome::none).commit();
    if (!is_stopping(expansion.run())) {
        expansion.add(Kind::no_answer, action)
            .end(Outcome::unknown)
            .judge(Purpose::happened, Outcome::cannot_tell)
            .commit();
    }
}

// After a resume the postconditions are read again. They hold; or they do not, and the action
// begins again or fails; or the host stays unreachable and the run stops. The last successor is
// left out if the run stops anyway.
void resolve_recheck(Expansion& expansion, Index action) {
    const auto& then = expansion.model().actions[action].postconditions;
    if (evaluate_reachable(expansion, action, then).modelled == Truth::yes) {
        observe_postconditions(expansion, action);
    }
    expansion.add(Kind::broken, action).judge(Purpose::then, Outcome::no).commit();
    if (expansion.is_unreachable(action) && !is_stopping(expansion.run())) {
        expansion.add(Kind::broken, action).judge(Purpose::then, Outcome::cannot_tell).commit();
    }
}

}  // namespace

bool resolve_local_action(Expansion& expansion) {
    const auto& commands = expansion.commands();
    const auto lost = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
        const bool concerns_one =
            command.kind == CommandKind::ask || command.kind == CommandKind::judge;
        return concerns_one && expansion.model().actions[command.action].local
               && is_resolved(expansion, command.action);
    });
    if (lost == commands.end()) {
        return false;
    }
    if (expansion.run().status(lost->action) == Status::recheck) {
        resolve_recheck(expansion, lost->action);
    } else if (lost->kind == CommandKind::ask && expansion.is_unreachable(lost->action)) {
        resolve_unreachable(expansion, lost->action);
    } else {
        expand_command(expansion, *lost);
    }
    return true;
}

}  // namespace drydock::checker
