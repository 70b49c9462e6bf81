// The effect of an action and its answer are one step. A host that does not answer leaves the
// outcome unknown, at no cost.
#include "checker/host_answers.h"

#include "checker/postconditions.h"

#include <utility>

namespace drydock::checker {

using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

// Certain postconditions are observed in the same step. If they are doubtful, a second successor
// misses them. A third one lets a started member die before it is observed: otherwise the death
// could only follow an observed start.
void HostAnswers::succeed(Index action) {
    const Model& model = expansion_.model();
    Successor successor = expansion_.add(TransitionKind::done, action);
    successor.take_effect().apply(EventType::action_ended, Outcome::done);
    const bool promises = successor.status() == Status::applied;
    const bool is_doubtful = promises && observe_at_once(expansion_, successor);
    std::move(successor).commit();
    if (is_doubtful) {
        expansion_.add(TransitionKind::broken, action)
            .charge(Fault::failure)
            .take_effect()
            .apply(EventType::action_ended, Outcome::done)
            .apply(EventType::facts_read, Outcome::no, Purpose::then)
            .commit();
    }
    if (promises && model.acts[action].starts && expansion_.can_afford(Fault::member)) {
        Successor death = expansion_.add(TransitionKind::died_after, action);
        death.charge(Fault::member).take_effect();
        die(model, model.members[model.acts[action].member], death.row());
        std::move(death).apply(EventType::action_ended, Outcome::done).commit();
    }
}

void HostAnswers::fail(Index action) {
    expansion_.add(TransitionKind::failed, action)
        .charge(Fault::failure)
        .apply(EventType::action_ended, Outcome::failed)
        .commit();
}

void HostAnswers::fail_late(Index action) {
    expansion_.add(TransitionKind::failed_late, action)
        .charge(Fault::failure)
        .take_effect()
        .apply(EventType::action_ended, Outcome::failed)
        .commit();
}

void HostAnswers::stay_silent(Index action) {
    expansion_.add(TransitionKind::no_answer, action)
        .apply(EventType::action_ended, Outcome::unknown)
        .commit();
}

void HostAnswers::answer_command(Index action) {
    if (expansion_.is_unreachable(action)) {
        stay_silent(action);
        return;
    }
    if (!order_.end_explored_earlier(action)) {
        succeed(action);
    }
    if (expansion_.can_afford(Fault::failure) && !order_.failure_explored_earlier(action)) {
        fail(action);
        if (expansion_.model().acts[action].moves_world) {
            fail_late(action);
        }
    }
    if (expansion_.can_afford(Fault::unknown)) {
        expansion_.add(TransitionKind::no_answer, action)
            .charge(Fault::unknown)
            .apply(EventType::action_ended, Outcome::unknown)
            .commit();
    }
}

// An agent that restarted during the action cannot tell its outcome, with or without the effect.
void HostAnswers::answer_question(Index action) {
    if (expansion_.is_unreachable(action)) {
        stay_silent(action);
        return;
    }
    if (!order_.end_explored_earlier(action)) {
        expansion_.add(TransitionKind::never_begun, action)
            .apply(EventType::action_attached, Outcome::none)
            .commit();
        succeed(action);
    }
    if (expansion_.can_afford(Fault::failure) && !order_.failure_explored_earlier(action)) {
        fail(action);
    }
    if (expansion_.can_afford(Fault::unknown)) {
        expansion_.add(TransitionKind::torn, action)
            .charge(Fault::unknown)
            .apply(EventType::action_attached, Outcome::torn)
            .commit();
        expansion_.add(TransitionKind::interrupted_late, action)
            .charge(Fault::unknown)
            .take_effect()
            .apply(EventType::action_attached, Outcome::torn)
            .commit();
    }
}

}  // namespace drydock::checker
