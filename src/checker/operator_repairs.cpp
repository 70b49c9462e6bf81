// The operator after a halt: resumes the run, starts members, brings hosts back.
#include "checker/successor_rules.h"

#include <utility>

namespace drydock::checker {

using run::EventType;
using run::Status;
using Kind = TransitionKind;

namespace {

// A failed unrepeatable action counts as not run from here on: the operator has found out whether
// it ran, and taken back what it did.
void resume(Expansion& expansion) {
    const Model& model = expansion.model();
    Successor successor = expansion.add(Kind::resumed, 0);
    successor.apply_to_run(EventType::run_resumed);
    for (Index i = 0; i < model.actions.size(); ++i) {
        if (expansion.run().status(i) == Status::failed && model.actions[i].ran != k_no_offset) {
            successor.row()[model.actions[i].ran] = 0;
        }
    }
    std::move(successor).commit();
}

}  // namespace

// The operator has three kinds of steps: resume the run, start a member that should be up, bring a
// host back. Starts and hosts come before the resume, one at a time, in any order.
void expand_operator_repairs(Expansion& expansion, bool judges_starts) {
    const Model& model = expansion.model();
    resume(expansion);
    for (Index i = 0; i < model.members.size(); ++i) {
        if (!expansion.is_symmetric_duplicate(i) && model.expected_up(expansion.row(), i)
            && can_be_started(model, model.members[i], expansion.row())) {
            Successor successor = expansion.add(Kind::member_started, i);
            start_by_hand(model, model.members[i], successor.row());
            if (judges_starts) {
                successor.blame(
                    judge_start(model, model.members[i], expansion.row(), successor.row()));
            }
            std::move(successor).commit();
        }
    }
    for (Index i = 0; i < model.hosts.size(); ++i) {
        if (is_lost(expansion, i)) {
            flip_host(expansion, i);
        }
    }
}

}  // namespace drydock::checker
