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
#include "checker/explorer.h"

#include <algorithm>
#include <cstring>

namespace drydock::checker {

using model::Tri;
using run::Command;
using run::Do;
using run::EventType;
using run::Outcome;
using run::Phase;
using run::Purpose;
using run::Status;

bool judges_guard(const Command& command) {
    return command.what == Do::judge && command.purpose == Purpose::guard;
}

// True if `applies_if` is false, or is not modelled and may be false.
bool may_skip(const Answer& applicability) {
    return applicability.modelled == Tri::no
           || (applicability.open && applicability.modelled == Tri::yes);
}

// Rows grow geometrically and are never freed: one batch serves a whole search.
Byte* Batch::add(const Byte* source, Choice choice) {
    const std::size_t position = found_.size() * row_size_;
    if (rows_.size() < position + row_size_) {
        rows_.resize(std::max(2 * rows_.size(), position + 16 * row_size_));
    }
    std::memcpy(&rows_[position], source, row_size_);
    found_.push_back({choice, 0});
    return &rows_[position];
}

Explorer::Explorer(const Site& site,
                   const Faults& faults,
                   bool operator_repairs,
                   bool any_member_may_die,
                   bool resolve_local)
    : site_(site)
    , budget_{faults.failures, faults.unknown, faults.crashes, faults.member, faults.host}
    , persons_(operator_repairs)
    , everybody_(any_member_may_die || serve_apart(site, site.first.data()))
    , shortcuts_(resolve_local)
    , here_(site.acts.size())
    , there_(site.acts.size())
    , order_(site, !resolve_local) {
}

bool Explorer::can_afford(Fault fault) const {
    return row_[site_.used + static_cast<Place>(fault)] < budget_[static_cast<std::size_t>(fault)];
}

void Explorer::open(Kind kind, std::size_t index) {
    next_ = out_->add(row_, {kind, static_cast<std::uint32_t>(index)});
}

void Explorer::open(Kind kind, std::size_t index, Fault fault) {
    open(kind, index);
    ++site_.used_of(next_, fault);
}

void Explorer::move(EventType type, std::size_t action, Outcome outcome, Purpose purpose) {
    const int attempt =
        type == EventType::action_intended ? there_.attempt(action) + 1 : there_.attempt(action);
    const run::Move event = {type, action, attempt, outcome, purpose};
    if (recorded_ != nullptr) {
        recorded_->push_back({out_->size() - 1, event});
    }
    run::apply(site_.program, there_, event);
}

void Explorer::close(std::size_t action) {
    site_.pack_action(there_, action, next_);
    there_.take(action, here_);
}

// For events that may change any action. The row is a copy of its source, so only changed cells are
// packed.
void Explorer::close_all() {
    const run::State::Cell* cells_before = here_.of_actions().data();
    const run::State::Cell* cells_after = there_.of_actions().data();
    next_[0] = static_cast<Byte>(there_.phase());
    for (std::size_t i = 0; i < here_.actions(); ++i) {
        if (cells_after[i] != cells_before[i]) {
            site_.pack_action(there_, i, next_);
        }
    }
    there_.set_cells(here_.cells());
}

bool Explorer::is_away(std::size_t action) const {
    const int member = site_.acts[action].member;
    return member >= 0 && row_[site_.members[static_cast<std::size_t>(member)].away] != 0;
}

// True if an earlier member is in the same state: the steps of that member represent the steps of
// this one.
bool Explorer::is_repeated(int member) const {
    return member >= 0 && !first_.empty() && first_[static_cast<std::size_t>(member)] != member;
}

bool Explorer::is_repeated(const Command& command) const {
    const bool concerns_one =
        command.what == Do::judge || command.what == Do::begin || command.what == Do::ask;
    return concerns_one && is_repeated(site_.acts[command.action].member);
}

void Explorer::expand(const Byte* row,
                      Batch& successors,
                      std::span<const int> representatives,
                      const Byte* previous_row) {
    row_ = row;
    out_ = &successors;
    first_ = representatives;
    order_.begin(row, previous_row);
    site_.unpack(row, here_);
    there_.set_cells(here_.cells());
    if (here_.phase() == Phase::halted) {
        if (persons_) {
            after_halt();
        }
        return;
    }
    run::next(site_.program, here_, commands_);
    hurry_ = false;
    guards_ = 0;
    for (const Command& command : commands_) {
        hurry_ = hurry_ || command.what == Do::begin;
        guards_ += judges_guard(command) ? 1 : 0;
    }
    if (shortcuts_ && !hurry_ && (settle_quiet() || thin_out_crowds())) {
        return;
    }
    count_crowds();
    for (const Command& command : commands_) {
        const bool now = !hurry_ || command.what == Do::begin || judges_guard(command);
        if (now && !is_repeated(command)) {
            obey(command);
        }
    }
    if (!hurry_ && here_.phase() == Phase::running) {
        let_things_happen();
    }
}

// Each command leads to the transitions of its kind. Soaks and pauses have none: time is not
// modelled.
void Explorer::obey(const Command& command) {
    switch (command.what) {
    case Do::judge:
        if (command.purpose == Purpose::guard) {
            judge_guard(command.action);
        } else if (command.purpose == Purpose::then) {
            judge_then(command.action);
        } else {
            judge_happened(command.action);
        }
        break;
    case Do::begin:
        begin(command.action);
        break;
    case Do::ask:
        ask(command.action);
        break;
    case Do::await_person:
        open(Kind::approved, command.action);
        move(EventType::gate_approved, command.action);
        close(command.action);
        break;
    case Do::halt:
        open(Kind::halted, command.action);
        move(EventType::run_halted, 0);
        close_all();
        break;
    case Do::finish:
        open(Kind::finished, 0);
        move(EventType::run_finished, 0);
        close_all();
        break;
    case Do::soak:        // is begun with the guard that held
    case Do::await_soak:  // ends at once
    case Do::pause:       // no operator asks for one
        break;
    }
}

// The command leaves here, so the quorum is checked here and nowhere else.
void Explorer::set_off(std::size_t action) {
    out_->broken(out_->size() - 1) |= checker::begin(site_, action, row_);
    move(EventType::action_intended, action);
}

void Explorer::begin(std::size_t action) {
    open(Kind::begun, action);
    set_off(action);
    close(action);
}

// The end of an action, with or without its effect. Certain postconditions are observed in the same
// step. If they are doubtful, a second successor misses them. A third one lets a started member die
// before it is observed: otherwise the death could only follow an observed start.
void Explorer::end(std::size_t action, Kind kind, Outcome outcome, bool effect) {
    if (kind == Kind::failed || kind == Kind::failed_late) {
        open(kind, action, Fault::failure);
    } else {
        open(kind, action);
    }
    if (effect) {
        out_->broken(out_->size() - 1) |= take_effect(site_, action, next_);
    }
    move(EventType::action_ended, action, outcome);
    bool doubt = false;
    const bool promised = kind == Kind::done && there_.status(action) == Status::acted;
    if (promised) {
        keep_promise(action, doubt);
    }
    close(action);
    if (doubt) {
        break_promise(action, kind, effect);
    }
    if (promised && effect && site_.acts[action].starts && can_afford(Fault::member)) {
        open(Kind::died_after, action, Fault::member);
        out_->broken(out_->size() - 1) |= take_effect(site_, action, next_);
        die(site_, site_.members[static_cast<std::size_t>(site_.acts[action].member)], next_);
        move(EventType::action_ended, action, outcome);
        close(action);
    }
}

// The host has the command: it succeeds, fails before or after its effect, or its answer is lost.
void Explorer::answer_to(std::size_t action) {
    if (is_away(action)) {
        end(action, Kind::no_answer, Outcome::unknown, false);
        return;
    }
    if (!order_.end_is_told(action)) {
        end(action, Kind::done, Outcome::done, true);
    }
    if (can_afford(Fault::failure) && !order_.failure_is_told(action)) {
        end(action, Kind::failed, Outcome::failed, false);
        if (site_.acts[action].moves_world) {
            end(action, Kind::failed_late, Outcome::failed, true);
        }
    }
    if (can_afford(Fault::unknown)) {
        open(Kind::no_answer, action, Fault::unknown);
        move(EventType::action_ended, action, Outcome::unknown);
        close(action);
    }
}

// The agent is asked for the outcome of a lost action. The command may never have arrived, so each
// outcome is possible, among them that the agent itself cannot tell.
void Explorer::ask(std::size_t action) {
    if (is_away(action)) {
        end(action, Kind::no_answer, Outcome::unknown, false);
        return;
    }
    if (!order_.end_is_told(action)) {
        open(Kind::never_begun, action);
        move(EventType::action_attached, action, Outcome::none);
        close(action);
        end(action, Kind::done, Outcome::done, true);
    }
    if (can_afford(Fault::failure) && !order_.failure_is_told(action)) {
        end(action, Kind::failed, Outcome::failed, false);
    }
    if (can_afford(Fault::unknown)) {
        tear(action, Kind::torn, false);
        tear(action, Kind::torn_late, true);
    }
}

// The agent restarted during the action: the outcome is `interrupted`, with or without the effect.
void Explorer::tear(std::size_t action, Kind kind, bool effect) {
    open(kind, action, Fault::unknown);
    if (effect) {
        out_->broken(out_->size() - 1) |= take_effect(site_, action, next_);
    }
    move(EventType::action_attached, action, Outcome::torn);
    close(action);
}

}  // namespace drydock::checker
