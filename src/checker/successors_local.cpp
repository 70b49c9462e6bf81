// Two reductions that change lengths but not verdicts. Options::resolve_local enables both.
//
// Local actions: no other action can observe the outcome of a local action, so a lost one is
// resolved before any other step. In the literature this is an ample set of one invisible
// transition. Interchangeable actions: two of a group show all that the group can do, so surplus
// ones are skipped (a cutoff). The arguments are in docs/design/0004, "Quiet actions" and "Crowds".
#include "checker/successors.h"

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

constexpr int k_crowd_at_once = 2;  // one raises the format, another brings a halt

}  // namespace

// Returns true if a local action was resolved; then its successors are the only ones. To all other
// actions, a lost local action and one that begins again later look the same. So the lost one is
// resolved first, and no other step comes between.
bool SuccessorGenerator::resolve_local_actions() {
    const auto lost = std::find_if(commands_.begin(), commands_.end(), [&](const Command& command) {
        const bool concerns_one =
            command.what == CommandKind::ask || command.what == CommandKind::judge;
        return concerns_one && model_.acts[command.action].quiet && is_resolved(command);
    });
    if (lost == commands_.end()) {
        return false;
    }
    if (current_.status(lost->action) == Status::recheck) {
        resolve_recheck(lost->action);
    } else if (lost->what == CommandKind::ask && is_unreachable(lost->action)) {
        resolve_unreachable(lost->action);
    } else {
        obey(*lost);
    }
    return true;
}

// True if the result would be the same after any other step. A host that may still be lost could
// change it, so such an action waits.
bool SuccessorGenerator::is_resolved(const Command& command) {
    const Status status = current_.status(command.action);
    if (status == Status::lost && !is_unreachable(command.action)) {
        return true;
    }
    if (status == Status::recheck) {
        return is_unreachable(command.action) || !can_afford(Fault::host);
    }
    const bool probes = status == Status::lost || status == Status::unsure;
    return probes && is_probe_resolved(command.action);
}

// The host of a lost action is unreachable. Either it comes back in time, which equals an action
// that never began. Or the outcome stays unknown and the run stops; that successor is left out if
// the run stops anyway.
void SuccessorGenerator::resolve_unreachable(std::size_t action) {
    open(TransitionKind::never_begun, action);
    move(EventType::action_attached, action, Outcome::none);
    close(action);
    if (is_stopping()) {
        return;
    }
    open(TransitionKind::no_answer, action);
    move(EventType::action_ended, action, Outcome::unknown);
    move(EventType::facts_read, action, Outcome::cannot_tell, Purpose::happened);
    close(action);
}

// After a resume the postconditions are read again. They hold; or they do not, and the action
// begins again or fails; or the host stays unreachable and the run stops. The last successor is
// left out if the run stops anyway.
void SuccessorGenerator::resolve_recheck(std::size_t action) {
    if (answer(model_, model_.acts[action].then, state_with_host_back(action)).modelled
        == Truth::yes) {
        observe_postconditions(action);
    }
    report_missed_postconditions(action, Outcome::no);
    if (is_unreachable(action) && !is_stopping()) {
        report_missed_postconditions(action, Outcome::cannot_tell);
    }
}

void SuccessorGenerator::report_missed_postconditions(std::size_t action, Outcome outcome) {
    open(TransitionKind::broken, action);
    move(EventType::facts_read, action, outcome, Purpose::then);
    close(action);
}

// Returns the row as it would be with the host of the action reachable.
const Byte* SuccessorGenerator::state_with_host_back(std::size_t action) {
    const int member = model_.acts[action].member;
    if (!is_unreachable(action)) {
        return row_;
    }
    state_with_host_back_.assign(row_, row_ + model_.size);
    state_with_host_back_[model_.members[static_cast<std::size_t>(member)].away] = 0;
    return state_with_host_back_.data();
}

// True if an action has failed: then no further action begins and the run will halt.
bool SuccessorGenerator::is_stopping() const {
    for (std::size_t i = 0; i < model_.acts.size(); ++i) {
        if (has_failed(current_.status(i))) {
            return true;
        }
    }
    return false;
}

// True if the completion check says the same now as after any other step. Its host cannot be lost
// any more; or it is unreachable, and the check will say "no" once it is back. Random plans found
// the gap: a check that lies may say otherwise later.
bool SuccessorGenerator::is_probe_resolved(std::size_t action) {
    const ActionModel& act = model_.acts[action];
    if (!is_unreachable(action)) {
        return act.happened.empty() || !can_afford(Fault::host);
    }
    const Evaluation evaluation = answer(model_, act.happened, state_with_host_back(action));
    return act.happened.empty() || (evaluation.modelled == Truth::no && !evaluation.open);
}

void SuccessorGenerator::count_interchangeable() {
    if (model_.crowds == 0) {
        return;
    }
    in_flight_.assign(model_.crowds, 0);
    for (std::size_t i = 0; i < model_.acts.size(); ++i) {
        if (model_.acts[i].crowd >= 0 && run::is_open_ended(current_.status(i))) {
            ++in_flight_[static_cast<std::size_t>(model_.acts[i].crowd)];
        }
    }
}

// True if enough of the group are in flight: one may raise the format, another may bring a halt,
// and any further one may as well begin later. An action in flight also makes its member
// observable. So this holds only where every member may die at any time.
bool SuccessorGenerator::is_surplus(std::size_t action) const {
    const int crowd = model_.acts[action].crowd;
    return resolve_local_ && any_member_may_die_ && crowd >= 0
           && in_flight_[static_cast<std::size_t>(crowd)] >= k_crowd_at_once;
}

// The number of faults that can still happen.
int SuccessorGenerator::budget_left() const {
    int remaining = 0;
    for (std::size_t i = 0; i < k_faults; ++i) {
        remaining += std::max(budget_[i] - row_[model_.used + i], 0);
    }
    return remaining;
}

// Skips the surplus of a group before any other step. Two are needed, and one in reserve for each
// fault that may still hit one of them. Skips are added for each distinct member, one at a time.
// Returns true if a skip was added; then there are no other successors.
bool SuccessorGenerator::skip_surplus() {
    if (!any_member_may_die_ || model_.crowds == 0) {
        return false;
    }
    not_begun_.assign(model_.crowds, {});
    for (const Command& command : commands_) {
        const ActionModel& act = model_.acts[command.action];
        if (judges_guard(command) && act.crowd >= 0 && can_skip(answer(model_, act.when, row_))) {
            not_begun_[static_cast<std::size_t>(act.crowd)].push_back(command.action);
        }
    }
    const int enough = k_crowd_at_once + budget_left();
    bool thinned = false;
    for (const auto& crowd : not_begun_) {
        if (std::ssize(crowd) <= enough) {
            continue;
        }
        thinned = true;
        for (const std::size_t action : crowd) {
            if (!is_symmetric_duplicate(model_.acts[action].member)) {
                skip(action);
            }
        }
    }
    return thinned;
}

}  // namespace drydock::checker
