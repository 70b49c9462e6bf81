// The core of the successor generator: expand() and the transitions of one command's life (begin,
// end, answer, lost answer).
//
// The order of expand(): decode the run; after a halt only the operator acts; ask run::next() for
// commands; try the reductions of successors_local.cpp, which may replace everything else; expand
// each command; add the environment of successors_faults.cpp. A pending begin excludes all but
// begins and guards, because the real conductor sends commands before it waits.
//
// current_ holds the run of the row. successor_ equals it between transitions; each transition
// changes it, packs the changed cell and restores it. That saves decoding the row for each
// successor.
#include "checker/successors.h"

#include <algorithm>
#include <cstring>

namespace drydock::checker {

using model::Truth;
using run::Command;
using run::CommandKind;
using run::EventType;
using run::Outcome;
using run::Phase;
using run::Purpose;
using run::Status;

bool judges_guard(const Command& command) {
    return command.what == CommandKind::judge && command.purpose == Purpose::guard;
}

// True if `applies_if` is false, or is not modelled and may be false.
bool can_skip(const Evaluation& applicability) {
    return applicability.modelled == Truth::no
           || (applicability.open && applicability.modelled == Truth::yes);
}

// Rows grow geometrically and are never freed: one batch serves a whole search.
Byte* Successors::add(const Byte* source, Transition choice) {
    const std::size_t position = entries_.size() * row_size_;
    if (rows_.size() < position + row_size_) {
        rows_.resize(std::max(2 * rows_.size(), position + 16 * row_size_));
    }
    std::memcpy(&rows_[position], source, row_size_);
    entries_.push_back({choice, 0});
    return &rows_[position];
}

SuccessorGenerator::SuccessorGenerator(const Model& model,
                                       const Faults& faults,
                                       bool operator_repairs,
                                       bool any_member_may_die,
                                       bool resolve_local)
    : model_(model)
    , budget_{faults.failures, faults.unknown, faults.crashes, faults.member, faults.host}
    , operator_repairs_(operator_repairs)
    , any_member_may_die_(any_member_may_die || violates_skew(model, model.first.data()))
    , resolve_local_(resolve_local)
    , current_(model.acts.size())
    , successor_(model.acts.size())
    , order_(model, !resolve_local) {
}

bool SuccessorGenerator::can_afford(Fault fault) const {
    return row_[model_.used + static_cast<Offset>(fault)]
           < budget_[static_cast<std::size_t>(fault)];
}

void SuccessorGenerator::open(TransitionKind kind, std::size_t index) {
    successor_row_ = successors_->add(row_, {kind, static_cast<std::uint32_t>(index)});
}

void SuccessorGenerator::open(TransitionKind kind, std::size_t index, Fault fault) {
    open(kind, index);
    ++model_.fault_usage_of(successor_row_, fault);
}

void SuccessorGenerator::move(EventType type,
                              std::size_t action,
                              Outcome outcome,
                              Purpose purpose) {
    const int attempt = type == EventType::action_intended ? successor_.attempt(action) + 1
                                                           : successor_.attempt(action);
    const run::CompactEvent event = {type, action, attempt, outcome, purpose};
    if (recorded_ != nullptr) {
        recorded_->push_back({successors_->size() - 1, event});
    }
    run::apply(model_.program, successor_, event);
}

void SuccessorGenerator::close(std::size_t action) {
    model_.pack_action(successor_, action, successor_row_);
    successor_.take(action, current_);
}

// For events that may change any action. The row is a copy of its source, so only changed cells are
// packed.
void SuccessorGenerator::close_all() {
    const run::State::Cell* cells_before = current_.of_actions().data();
    const run::State::Cell* cells_after = successor_.of_actions().data();
    successor_row_[0] = static_cast<Byte>(successor_.phase());
    for (std::size_t i = 0; i < current_.actions(); ++i) {
        if (cells_after[i] != cells_before[i]) {
            model_.pack_action(successor_, i, successor_row_);
        }
    }
    successor_.set_cells(current_.cells());
}

bool SuccessorGenerator::is_unreachable(std::size_t action) const {
    const int member = model_.acts[action].member;
    return member >= 0 && row_[model_.members[static_cast<std::size_t>(member)].away] != 0;
}

// True if an earlier member is in the same state: the steps of that member represent the steps of
// this one.
bool SuccessorGenerator::is_symmetric_duplicate(int member) const {
    return member >= 0 && !representatives_.empty()
           && representatives_[static_cast<std::size_t>(member)] != member;
}

bool SuccessorGenerator::is_symmetric_duplicate(const Command& command) const {
    const bool concerns_one = command.what == CommandKind::judge
                              || command.what == CommandKind::begin
                              || command.what == CommandKind::ask;
    return concerns_one && is_symmetric_duplicate(model_.acts[command.action].member);
}

void SuccessorGenerator::expand(const Byte* row,
                                Successors& successors,
                                std::span<const int> representatives,
                                const Byte* previous_row) {
    row_ = row;
    successors_ = &successors;
    representatives_ = representatives;
    order_.begin(row, previous_row);
    model_.unpack(row, current_);
    successor_.set_cells(current_.cells());
    if (current_.phase() == Phase::halted) {
        if (operator_repairs_) {
            expand_halted();
        }
        return;
    }
    run::next(model_.program, current_, commands_);
    begin_only_ = false;
    guards_ = 0;
    for (const Command& command : commands_) {
        begin_only_ = begin_only_ || command.what == CommandKind::begin;
        guards_ += judges_guard(command) ? 1 : 0;
    }
    if (resolve_local_ && !begin_only_ && (resolve_local_actions() || skip_surplus())) {
        return;
    }
    count_interchangeable();
    for (const Command& command : commands_) {
        const bool now =
            !begin_only_ || command.what == CommandKind::begin || judges_guard(command);
        if (now && !is_symmetric_duplicate(command)) {
            obey(command);
        }
    }
    if (!begin_only_ && current_.phase() == Phase::running) {
        expand_environment();
    }
}

// Each command leads to the transitions of its kind. Soaks and pauses have none: time is not
// modelled.
void SuccessorGenerator::obey(const Command& command) {
    switch (command.what) {
    case CommandKind::judge:
        if (command.purpose == Purpose::guard) {
            judge_guard(command.action);
        } else if (command.purpose == Purpose::then) {
            judge_postconditions(command.action);
        } else {
            judge_completion(command.action);
        }
        break;
    case CommandKind::begin:
        begin(command.action);
        break;
    case CommandKind::ask:
        ask(command.action);
        break;
    case CommandKind::await_person:
        open(TransitionKind::approved, command.action);
        move(EventType::gate_approved, command.action);
        close(command.action);
        break;
    case CommandKind::halt:
        open(TransitionKind::halted, command.action);
        move(EventType::run_halted, 0);
        close_all();
        break;
    case CommandKind::finish:
        open(TransitionKind::finished, 0);
        move(EventType::run_finished, 0);
        close_all();
        break;
    case CommandKind::soak:        // is begun with the guard that held
    case CommandKind::await_soak:  // ends at once
    case CommandKind::pause:       // no operator asks for one
        break;
    }
}

// The command leaves here, so the quorum is checked here and nowhere else.
void SuccessorGenerator::dispatch(std::size_t action) {
    successors_->broken(successors_->size() - 1) |= checker::begin(model_, action, row_);
    move(EventType::action_intended, action);
}

void SuccessorGenerator::begin(std::size_t action) {
    open(TransitionKind::begun, action);
    dispatch(action);
    close(action);
}

// The end of an action, with or without its effect. Certain postconditions are observed in the same
// step. If they are doubtful, a second successor misses them. A third one lets a started member die
// before it is observed: otherwise the death could only follow an observed start.
void SuccessorGenerator::end(std::size_t action,
                             TransitionKind kind,
                             Outcome outcome,
                             bool effect) {
    if (kind == TransitionKind::failed || kind == TransitionKind::failed_late) {
        open(kind, action, Fault::failure);
    } else {
        open(kind, action);
    }
    if (effect) {
        successors_->broken(successors_->size() - 1) |= take_effect(model_, action, successor_row_);
    }
    move(EventType::action_ended, action, outcome);
    bool doubt = false;
    const bool promised =
        kind == TransitionKind::done && successor_.status(action) == Status::applied;
    if (promised) {
        meet_postconditions(action, doubt);
    }
    close(action);
    if (doubt) {
        miss_postconditions(action, kind, effect);
    }
    if (promised && effect && model_.acts[action].starts && can_afford(Fault::member)) {
        open(TransitionKind::died_after, action, Fault::member);
        successors_->broken(successors_->size() - 1) |= take_effect(model_, action, successor_row_);
        die(model_,
            model_.members[static_cast<std::size_t>(model_.acts[action].member)],
            successor_row_);
        move(EventType::action_ended, action, outcome);
        close(action);
    }
}

// The host has the command: it succeeds, fails before or after its effect, or its answer is lost.
void SuccessorGenerator::expand_answers(std::size_t action) {
    if (is_unreachable(action)) {
        end(action, TransitionKind::no_answer, Outcome::unknown, false);
        return;
    }
    if (!order_.end_explored_earlier(action)) {
        end(action, TransitionKind::done, Outcome::done, true);
    }
    if (can_afford(Fault::failure) && !order_.failure_explored_earlier(action)) {
        end(action, TransitionKind::failed, Outcome::failed, false);
        if (model_.acts[action].moves_world) {
            end(action, TransitionKind::failed_late, Outcome::failed, true);
        }
    }
    if (can_afford(Fault::unknown)) {
        open(TransitionKind::no_answer, action, Fault::unknown);
        move(EventType::action_ended, action, Outcome::unknown);
        close(action);
    }
}

// The agent is asked for the outcome of a lost action. The command may never have arrived, so each
// outcome is possible, among them that the agent itself cannot tell.
void SuccessorGenerator::ask(std::size_t action) {
    if (is_unreachable(action)) {
        end(action, TransitionKind::no_answer, Outcome::unknown, false);
        return;
    }
    if (!order_.end_explored_earlier(action)) {
        open(TransitionKind::never_begun, action);
        move(EventType::action_attached, action, Outcome::none);
        close(action);
        end(action, TransitionKind::done, Outcome::done, true);
    }
    if (can_afford(Fault::failure) && !order_.failure_explored_earlier(action)) {
        end(action, TransitionKind::failed, Outcome::failed, false);
    }
    if (can_afford(Fault::unknown)) {
        tear(action, TransitionKind::torn, false);
        tear(action, TransitionKind::interrupted_late, true);
    }
}

// The agent restarted during the action: the outcome is `interrupted`, with or without the effect.
void SuccessorGenerator::tear(std::size_t action, TransitionKind kind, bool effect) {
    open(kind, action, Fault::unknown);
    if (effect) {
        successors_->broken(successors_->size() - 1) |= take_effect(model_, action, successor_row_);
    }
    move(EventType::action_attached, action, Outcome::torn);
    close(action);
}

}  // namespace drydock::checker
