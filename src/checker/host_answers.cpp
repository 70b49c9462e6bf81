// Answers of hosts. The effect of an action and its answer are one step. A host that does not
// answer leaves the outcome unknown, at no cost.
#include "checker/successor_rules.h"

#include <utility>

namespace drydock::checker {

using run::Outcome;
using run::Purpose;
using Kind = TransitionKind;

namespace {

// Returns the members that may die right after a start: the action's own, or all that it starts.
std::vector<Index> mortal_members(const Model& model, Index action) {
    const ActionModel& act = model.actions[action];
    const bool starts_own = index_in(act.starting, act.member) != k_no_index;
    return starts_own ? std::vector<Index>{act.member} : act.starting;
}

// Certain postconditions are observed in the same step. If they are doubtful, a second successor
// misses them. A third one lets a started member die before it is observed: otherwise the death
// could only follow an observed start.
void succeed(Expansion& expansion, Index action) {
    const Model& model = expansion.model();
    Successor successor = expansion.add(Kind::done, action);
    successor.take_effect().end(Outcome::done);
    const bool has_postconditions = successor.status() == run::Status::applied;
    const bool is_doubtful = has_postconditions && observe_at_once(expansion, successor);
    std::move(successor).commit();
    if (is_doubtful) {
        expansion.add(Kind::broken, action)
            .charge(Fault::failure)
            .take_effect()
            .end(Outcome::done)
            .judge(Purpose::then, Outcome::no)
            .commit();
    }
    const bool can_lose_member = has_postconditions && expansion.can_afford(Fault::member);
    for (const Index member :
         can_lose_member ? mortal_members(model, action) : std::vector<Index>()) {
        Successor death = expansion.add(Kind::died_after, action);
        death.charge(Fault::member).take_effect().end(Outcome::done);
        kill_member(model, model.members[member], death.row());
        std::move(death).commit();
    }
}

void fail(Expansion& expansion, Index action) {
    expansion.add(Kind::failed, action).charge(Fault::failure).end(Outcome::failed).commit();
}

// True if the host does not answer.
bool is_silent(Expansion& expansion, Index action) {
    if (!expansion.is_unreachable(action)) {
        return false;
    }
    expansion.add(Kind::no_answer, action).end(Outcome::unknown).commit();
    return true;
}

}  // namespace

// The host has the command: it succeeds, fails before or after its effect, or its answer is lost.
void answer_command(Expansion& expansion, Index action) {
    if (is_silent(expansion, action)) {
        return;
    }
    if (!expansion.order().end_explored_earlier(action)) {
        succeed(expansion, action);
    }
    if (expansion.can_afford(Fault::failure)
        && !expansion.order().failure_explored_earlier(action)) {
        fail(expansion, action);
        if (expansion.model().actions[action].moves_world) {
            expansion.add(Kind::failed_late, action)
                .charge(Fault::failure)
                .take_effect()
                .end(Outcome::failed)
                .commit();
        }
    }
    if (expansion.can_afford(Fault::unknown)) {
        expansion.add(Kind::no_answer, action)
            .charge(Fault::unknown)
            .end(Outcome::unknown)
            .commit();
    }
}

// The command may never have arrived. If it did, it succeeded, or failed without an effect: a
// failure after the effect is explored for commands with an answer only. An agent that restarted
// during the action cannot tell its outcome, with or without the effect. It may have restarted
// before the process began: then nothing of `while` holds.
void answer_question(Expansion& expansion, Index action) {
    if (is_silent(expansion, action)) {
        return;
    }
    if (!expansion.order().end_explored_earlier(action)) {
        expansion.add(Kind::never_begun, action).undo_half_done().attach(Outcome::none).commit();
        succeed(expansion, action);
    }
    if (expansion.can_afford(Fault::failure)
        && !expansion.order().failure_explored_earlier(action)) {
        fail(expansion, action);
    }
    if (expansion.can_afford(Fault::unknown)) {
        expansion.add(Kind::interrupted, action)
            .charge(Fault::unknown)
            .attach(Outcome::interrupted)
            .commit();
        expansion.add(Kind::interrupted_late, action)
            .charge(Fault::unknown)
            .take_effect()
            .attach(Outcome::interrupted)
            .commit();
        if (!expansion.model().actions[action].meanwhile.empty()) {
            expansion.add(Kind::interrupted_early, action)
                .charge(Fault::unknown)
                .undo_half_done()
                .attach(Outcome::interrupted)
                .commit();
        }
    }
}

}  // namespace drydock::checker
