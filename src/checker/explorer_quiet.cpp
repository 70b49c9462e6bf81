// Quiet actions that were lost, or are looked at again: settled before anything else happens. And
// crowds, of which few are begun at once.
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

constexpr int k_crowd_at_once = 2;  // one that raises the format, one that brings a halt

}  // namespace

// Nobody else can tell whether a quiet action is lost, or never began and is begun again later; so
// the one that is lost is settled first, and nothing else is tried in between.
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

// Its host comes back in time, which is as if it had never begun; or nobody learns what became of
// it, and the run stops, if it does not stop anyway.
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

// The promise is seen; or it is not, and the action is begun again or fails; or the host stays
// away, and the run stops, if it does not stop anyway.
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

// The row as it would be with the host of the action back.
const Byte* Explorer::row_at_hand(std::size_t action) {
    const int member = site_.acts[action].member;
    if (!is_away(action)) {
        return row_;
    }
    at_hand_.assign(row_, row_ + site_.size);
    at_hand_[site_.members[static_cast<std::size_t>(member)].away] = 0;
    return at_hand_.data();
}

bool Explorer::is_stopping() const {
    for (std::size_t i = 0; i < site_.acts.size(); ++i) {
        if (has_failed(here_.status(i))) {
            return true;
        }
    }
    return false;
}

// Whether a probe tells the same now as after whatever else may happen: its host cannot be lost any
// more; or it is away, and once it is back the probe will say that it did not happen.
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

// Of a crowd, one may raise the format, and another one bring the run to a halt. Any more may as
// well begin after these. But who is under way makes members and hosts worth losing, unless all of
// them are at any time.
bool Explorer::is_crowded(std::size_t action) const {
    const int crowd = site_.acts[action].crowd;
    return shortcuts_ && everybody_ && crowd >= 0
           && under_way_[static_cast<std::size_t>(crowd)] >= k_crowd_at_once;
}

int Explorer::budget_left() const {
    int remaining = 0;
    for (std::size_t i = 0; i < k_faults; ++i) {
        remaining += std::max(budget_[i] - row_[site_.used + i], 0);
    }
    return remaining;
}

// Who is of no use to a crowd is skipped before anything else happens: more than those two, and one
// for whatever may befall one of them.
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
