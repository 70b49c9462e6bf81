// The answers to commands: of the host while it works, and of one that is asked afterwards.
#include "reference/half_done.h"
#include "reference/stepper.h"

namespace drydock::reference {

using run::EventType;
using run::Outcome;
using run::Status;

void Stepper::end(const char* what, std::size_t index, Outcome outcome) {
    step(what, index);
    move(EventType::action_ended, index, outcome);
}

void Stepper::end_well(std::size_t index) {
    end("done", index, Outcome::done);
    effect(index);
    if (!brisk_ || model_.state(to()).status(index) != Status::applied) {
        return;
    }
    if (keep_promise(index)) {
        end("broken", index, Outcome::done);
        effect(index);
        break_promise(index);
    }
    if (starts(action(index)) && can(k_member)) {
        end("died_after", index, Outcome::done);
        effect(index);
        pay(k_member);
        kill(action(index).member);
    }
}

void Stepper::fail_without_effect(std::size_t index) {
    end("failed", index, Outcome::failed);
    pay(k_failure);
}

void Stepper::never_begun(std::size_t index) {
    step("never_begun", index);
    move(EventType::action_attached, index, Outcome::none);
    change([&] { never_begin(model_, index, to()); });
}

// The agent has noted it, and went down before it began.
void Stepper::tear_early(std::size_t index) {
    step("torn_early", index);
    pay(k_unknown);
    move(EventType::action_attached, index, Outcome::interrupted);
    change([&] { never_begin(model_, index, to()); });
}

void Stepper::tear(std::size_t index, bool late) {
    step(late ? "torn_late" : "torn", index);
    pay(k_unknown);
    move(EventType::action_attached, index, Outcome::interrupted);
    if (late) {
        effect(index);
    }
}

void Stepper::ask(std::size_t index) {
    if (is_away(index)) {
        end("no_answer", index, Outcome::unknown);
        return;
    }
    never_begun(index);
    end_well(index);
    if (can(k_failure)) {
        fail_without_effect(index);
    }
    if (can(k_unknown)) {
        tear(index, false);
        tear(index, true);
        if (!action(index).meanwhile.empty()) {
            tear_early(index);
        }
    }
}

bool Stepper::any_host_answers() {
    bool any = false;
    for (std::size_t i = 0; i < model_.plan.actions.size(); ++i) {
        if (state_.status(i) == Status::intended) {
            any = true;
            host_answers(i);
        }
    }
    return any;
}

void Stepper::host_answers(std::size_t index) {
    if (is_away(index)) {
        end("no_answer", index, Outcome::unknown);
        return;
    }
    end_well(index);
    if (can(k_failure)) {
        fail_without_effect(index);
        if (moves_world(model_, index)) {
            end("failed_late", index, Outcome::failed);
            pay(k_failure);
            effect(index);
        }
    }
    if (can(k_unknown)) {
        end("no_answer", index, Outcome::unknown);
        pay(k_unknown);
    }
}

}  // namespace drydock::reference
