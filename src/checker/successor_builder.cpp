// A successor is built in the batch itself: a copy of the row, changed in place. Its run differs
// from that of the row in few cells, so only those are packed and restored.
#include "checker/successor_builder.h"

#include "base/check.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace drydock::checker {

using run::EventType;
using run::Outcome;
using run::Purpose;
using run::Status;

namespace {

// A host that is unreachable may still carry it out, and is asked again.
bool may_be_under_way(Status status) {
    return run::is_open_ended(status) || status == Status::unreachable;
}

}  // namespace

// Rows grow geometrically and are never freed: one batch serves a whole search.
Byte* Successors::add(const Byte* source, Transition choice) {
    const std::size_t position = entries_.size() * row_size_;
    if (rows_.size() < position + row_size_) {
        rows_.resize(std::max(2 * rows_.size(), position + 16 * row_size_));
    }
    std::memcpy(&rows_[position], source, row_size_);
    entries_.push_back({choice, 0, true});
    return &rows_[position];
}

std::vector<run::CompactEvent> Successors::events(std::size_t i) const {
    std::vector<run::CompactEvent> events;
    for (const auto& [successor, event] : events_) {
        if (successor == i) {
            events.push_back(event);
        }
    }
    return events;
}

Successor::Successor(Expansion& source, TransitionKind kind, Index index)
    : source_(source)
    , action_(index)
    , row_(source.successors_->add(source.row_, {kind, index})) {
    CHECK(!source.is_building_);
    source.is_building_ = true;
}

Successor::~Successor() {
    CHECK(!source_.is_building_);
}

Successor&& Successor::charge(Fault fault) {
    ++source_.model_.fault_usage_of(row_, fault);
    return std::move(*this);
}

Successor&& Successor::take_effect() {
    if (!source_.model_.actions[action_].moves_world) {
        return std::move(*this);
    }
    return blame(checker::take_effect(source_.model_, action_, row_)).judge_effect();
}

Successor&& Successor::judge_change() {
    return blame(checker::judge_change(source_.model_, source_.row_, row_));
}

Successor&& Successor::judge_effect() {
    return source_.model_.actions[action_].moves_releases ? judge_change() : std::move(*this);
}

Successor&& Successor::blame(PropertySet broken) {
    source_.successors_->add_broken(broken);
    return std::move(*this);
}

Successor&& Successor::undo_half_done() {
    if (source_.model_.actions[action_].meanwhile.empty()) {
        return std::move(*this);
    }
    checker::undo_half_done(source_.model_, action_, row_);
    return judge_effect();
}

Successor&& Successor::verify_copies() {
    checker::verify_copies(source_.model_, action_, row_);
    return std::move(*this);
}

void Successor::apply(const run::CompactEvent& event, Change change) {
    CHECK(source_.is_building_);
    source_.successors_->add_event(event);
    run::apply(source_.model_.program, source_.next_run_, event);
    change_ = change;
}

Successor&& Successor::apply(EventType type, Outcome outcome, Purpose purpose) {
    const int next = type == EventType::action_intended ? 1 : 0;
    const int attempt = source_.next_run_.attempt(action_) + next;
    apply({type, action_, attempt, outcome, purpose}, Change::one_action);
    return std::move(*this);
}

Successor&& Successor::apply_to_run(EventType type) {
    apply({type, 0, source_.next_run_.attempt(0)}, Change::any_action);
    return std::move(*this);
}

Successor&& Successor::dispatch() {
    blame(checker::quorum_violation(source_.model_, action_, source_.row_)
          | checker::alone_violation(source_.model_, action_, source_.row_));
    if (!source_.model_.actions[action_].meanwhile.empty()) {
        begin_half_done(source_.model_, action_, row_);
        judge_effect();
    }
    return apply(EventType::action_intended);
}

Successor&& Successor::end(Outcome outcome) {
    return apply(EventType::action_ended, outcome);
}

Successor&& Successor::attach(Outcome outcome) {
    return apply(EventType::action_attached, outcome);
}

Successor&& Successor::judge(Purpose purpose, Outcome outcome) {
    return apply(EventType::facts_read, outcome, purpose);
}

run::Status Successor::status() const {
    return source_.next_run_.status(action_);
}

// The row is a copy of its source, so only changed cells are packed.
void Successor::commit() && {
    const run::State& before = source_.run_;
    run::State& after = source_.next_run_;
    if (change_ == Change::one_action) {
        source_.model_.pack_action(after, action_, row_);
        if (!source_.model_.actions[action_].meanwhile.empty()
            && !may_be_under_way(after.status(action_))) {
            forget_attempts(source_.model_, action_, row_);
        }
        after.take(action_, before);
    } else if (change_ == Change::any_action) {
        const run::State::Cell* cells_before = before.of_actions().data();
        const run::State::Cell* cells_after = after.of_actions().data();
        row_[0] = to_byte(after.phase());
        for (Index i = 0; i < before.actions(); ++i) {
            if (cells_after[i] != cells_before[i]) {
                source_.model_.pack_action(after, i, row_);
            }
        }
        after.set_cells(before.cells());
    }
    source_.is_building_ = false;
}

void Successor::commit_as_judged() && {
    source_.successors_->leave_out_last();
    std::move(*this).commit();
}

Expansion::Expansion(const Model& model, const Faults& faults, bool resolve_local)
    : model_(model)
    , budget_{faults.failures,
              faults.unknown,
              faults.crashes,
              faults.member,
              faults.host,
              faults.restart}
    , order_(model, !resolve_local)
    , run_(model.actions.size())
    , next_run_(model.actions.size()) {
}

void Expansion::begin(const Byte* row,
                      Successors& successors,
                      std::span<const Index> representatives,
                      const Byte* previous_row) {
    row_ = row;
    successors_ = &successors;
    representatives_ = representatives;
    order_.begin(row, previous_row);
    model_.unpack(row, run_);
    next_run_.set_cells(run_.cells());
    commands_.clear();
    if (run_.phase() != run::Phase::halted) {
        run::next(model_.program, run_, commands_);
    }
}

PropertySet Expansion::judge_restart(Index member) {
    const Member& restarted = model_.members[member];
    restarted_row_.assign(row_, row_ + model_.size);
    start_by_hand(model_, restarted, restarted_row_.data());
    return judge_start(model_, restarted, row_, restarted_row_.data());
}

int Expansion::budget_left() const {
    int remaining = 0;
    for (Index i = 0; i < k_faults; ++i) {
        remaining += std::max(budget_[i] - row_[model_.fault_usage + i], 0);
    }
    return remaining;
}

}  // namespace drydock::checker
