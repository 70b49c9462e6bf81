// Two reductions that change lengths but not verdicts. Options::resolve_local enables both.
//
// Local actions: no other action can observe the outcome of a local action, so a lost one is
// resolved before any other step. In the literature this is an ample set of one invisible
// transition. Interchangeable actions: two of a group show all that the group can do, so surplus
// ones are skipped (a cutoff). The arguments are in docs/design/0004, "Quiet actions" and "Crowds".
#include "checker/explorer.h"

#include <algorithm>

namespace drydock::checker {

using model::Tri;
using run::Command;
using run::Do;
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
bool Explorer::settle_quiet() {
    const auto lost = std::find_if(commands_.begin(), commands_.end(), [&](const Command& command) {
        const bool concerns_one = command.what == Do::ask || command.what == Do::judge;
        return concerns_one && site_.acts[command.action].quiet && is_settled(command);
    });
    if (lost == commands_.end()) {
        return false;
    }
    if (here_.status(lost->action) == Status::recheck) {
        settle_recheck(lost->action);
    } else if (lost->what == Do::ask && is_away(lost->action)) {
        settle_away(lost->action);
    } else {
        obey(*lost);
    }
    return true;
}

// True if the result would be the same after any other step. A host that may still be lost could
// change it, so such an action waits.
bool Explorer::is_settled(const Command& command) {
    const Status status = here_.status(command.action);
    if (status == Status::lost && !is_away(command.action)) {
        return true;
    }
    if (status == Status::recheck) {
        return is_away(command.action) || !can_afford(Fault::host);
    }
    const bool probes = status == Status::lost || status == Status::unsure;
    return probes && is_probe_settled(command.action);
}

// The host of a lost action is unreachable. Either it comes back in time, which equals an action
// that never began. Or the outcome stays unknown and the run stops; that successor is left out if
// the run stops anyway.
void Explorer::settle_away(std::size_t action) {
    open(Kind::never_begun, action);
    move(EventType::action_attached, action, Outcome::none);
    close(action);
    if (is_stopping()) {
        return;
    }
    open(Kind::no_answer, action);
    move(EventType::action_ended, action, Outcome::unknown);
    move(EventType::facts_read, action, Outcome::cannot_tell, Purpose::happened);
    close(action);
}

// After a resume the postconditions are read again. They hold; or they do not, and the action
// begins again or fails; or the host stays unreachable and the run stops. The last successor is
// left out if the run stops anyway.
void Explorer::settle_recheck(std::size_t action) {
    if (answer(site_, site_.acts[action].then, row_at_hand(action)).modelled == Tri::yes) {
        see_kept(action);
    }
    tell_broken(action, Outcome::no);
    if (is_away(action) && !is_stopping()) {
        tell_broken(action, Outcome::cannot_tell);
    }
}

void Explorer::tell_broken(std::size_t action, Outcome outcome) {
    open(Kind::broken, action);
    move(EventType::facts_read, action, outcome, Purpose::then);
    close(action);
}

// Returns the row as it would be with the host of the action reachable.
const Byte* Explorer::row_at_hand(std::size_t action) {
    const int member = site_.acts[action].member;
    if (!is_away(action)) {
        return row_;
    }
    at_hand_.assign(row_, row_ + site_.size);
    at_hand_[site_.members[static_cast<std::size_t>(member)].away] = 0;
    return at_hand_.data();
}

// True if an action has failed: then no further action begins and the run will halt.
bool Explorer::is_stopping() const {
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (has_failed(here_.status(i))) {
            return true;
        }
    }
    return false;
}

// True if the completion check says the same now as after any other step. Its host cannot be lost
// any more; or it is unreachable, and the check will say "no" once it is back. Random plans found
// the gap: a check that lies may say otherwise later.
bool Explorer::is_probe_settled(std::size_t action) {
    const Act& act = site_.acts[action];
    if (!is_away(action)) {
        return act.happened.empty() || !can_afford(Fault::host);
    }
    const Answer evaluation = answer(site_, act.happened, row_at_hand(action));
    return act.happened.empty() || (evaluation.modelled == Tri::no && !evaluation.open);
}

void Explorer::count_crowds() {
    if (site_.crowds == 0) {
        return;
    }
    under_way_.assign(site_.crowds, 0);
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (site_.acts[i].crowd >= 0 && run::is_open_ended(here_.status(i))) {
            ++under_way_[static_cast<std::size_t>(site_.acts[i].crowd)];
        }
    }
}

// True if enough of the group are in flight: one may raise the format, another may bring a halt,
// and any further one may as well begin later. An action in flight also makes its member
// observable. So this holds only where every member may die at any time.
bool Explorer::is_crowded(std::size_t action) const {
    const int crowd = site_.acts[action].crowd;
    return shortcuts_ && everybody_ && crowd >= 0
           && under_way_[static_cast<std::size_t>(crowd)] >= k_crowd_at_once;
}

// The number of faults that can still happen.
int Explorer::budget_left() const {
    int remaining = 0;
    for (std::size_t i = 0; i < k_faults; ++i) {
        remaining += std::max(budget_[i] - row_[site_.used + i], 0);
    }
    return remaining;
}

// Skips the surplus of a group before any other step. Two are needed, and one in reserve for each
// fault that may still hit one of them. Skips are added for each distinct member, one at a time.
// Returns true if a skip was added; then there are no other successors.
bool Explorer::thin_out_crowds() {
    if (!everybody_ || site_.crowds == 0) {
        return false;
    }
    to_come_.assign(site_.crowds, {});
    for (const Command& command : commands_) {
        const Act& act = site_.acts[command.action];
        if (judges_guard(command) && act.crowd >= 0 && may_skip(answer(site_, act.when, row_))) {
            to_come_[static_cast<std::size_t>(act.crowd)].push_back(command.action);
        }
    }
    const int enough = k_crowd_at_once + budget_left();
    bool thinned = false;
    for (const auto& crowd : to_come_) {
        if (std::ssize(crowd) <= enough) {
            continue;
        }
        thinned = true;
        for (const std::size_t action : crowd) {
            if (!is_repeated(site_.acts[action].member)) {
                skip(action);
            }
        }
    }
    return thinned;
}

}  // namespace drydock::checker
