// The replay of a trace, step by step.
//
// Steps of the environment are made in before_wait(), when the conductor has done all that it can.
// Steps of the conductor are matched in on_event(). A step may come early: actions that run side by
// side end in an order of their own, so the next step of the same action is matched. It is then
// remembered and passed over later. One step may stand for two events, since the checker merges a
// guard with its begin, and an end with its postconditions.
//
// A divergence is an event that no step of its action explains, or a step that does not happen
// within its time.
#include "sim/trace_replayer.h"

#include "sim/crash_injection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

namespace drydock::sim {

namespace {

using agent::ActionKey;
using run::Event;
using run::EventType;
using run::Outcome;
using run::Purpose;
using Kind = run::TraceStepKind;

constexpr std::int64_t k_for_ever = std::numeric_limits<std::int64_t>::max() / 4;
constexpr std::int64_t k_settle_ms = 2'000;   // for the conductor to observe a change
constexpr std::int64_t k_grace_ms = 600'000;  // beyond the time limits of an action
constexpr std::array k_ends = {Kind::done,
                               Kind::died_after,
                               Kind::failed,
                               Kind::failed_late,
                               Kind::no_answer,
                               Kind::never_begun,
                               Kind::interrupted,
                               Kind::interrupted_late,
                               Kind::interrupted_early};

bool is_end(Kind kind) {
    return std::find(k_ends.begin(), k_ends.end(), kind) != k_ends.end();
}

// Returns the step of an evaluated condition, by its purpose and outcome.
std::optional<Kind> judged(const Event& event) {
    const bool yes = event.outcome == Outcome::yes;
    const bool no = event.outcome == Outcome::no;
    switch (event.purpose) {
    case Purpose::guard:
        return yes ? Kind::judged_yes
                   : (event.outcome == Outcome::skip ? Kind::skipped : Kind::judged_no);
    case Purpose::then:
        return yes ? Kind::kept : Kind::broken;
    case Purpose::happened:
        return yes ? Kind::completed : (no ? Kind::not_completed : Kind::completion_unknown);
    case Purpose::none:
        break;
    }
    return std::nullopt;
}

// Returns the step that an event shows; nothing if traces have no such step.
std::optional<Kind> shown_by(const Event& event) {
    if (event.type == EventType::facts_read) {
        return judged(event);
    }
    if (event.type == EventType::action_intended) {
        return Kind::begun;
    }
    if (event.type == EventType::action_attached) {
        return event.outcome == Outcome::none ? Kind::never_begun : Kind::interrupted;
    }
    if (event.type != EventType::action_ended) {
        return std::nullopt;
    }
    const bool is_done = event.outcome == Outcome::done;
    return is_done ? Kind::done
                   : (event.outcome == Outcome::failed ? Kind::failed : Kind::no_answer);
}

// True if the event shows the step. Some steps say more than an event can show.
bool fits(Kind event, Kind turn) {
    return event == turn || (event == Kind::done && turn == Kind::died_after)
           || (event == Kind::failed && turn == Kind::failed_late)
           || (event == Kind::interrupted
               && (turn == Kind::interrupted_late || turn == Kind::interrupted_early));
}

// Returns the key of the action on its host, if it is there.
std::optional<ActionKey> running(Simulation& site, const model::Action& action) {
    std::optional<ActionKey> match;
    if (!action.host.empty()) {
        const auto actions = site.transport.host(action.host).running();
        for (const auto& [key, journal] : *actions) {
            match = key.action == action.id ? std::optional(key) : match;
        }
    }
    return match;
}

}  // namespace

std::string TraceStep::text() const {
    return subject.empty() ? std::string(name_of(kind))
                           : fmt::format("{} {}", name_of(kind), subject);
}

// Facts that the plan moves are modelled: the replayer must not set them by itself. A value that a
// step leaves open is for the replayer to choose; a level follows its store.
TraceReplayer::TraceReplayer(const model::Plan& plan,
                             ModelledSystem& system,
                             std::vector<TraceStep> story)
    : plan_(plan)
    , system_(system)
    , solver_(plan, system)
    , story_(std::move(story)) {
    system_.direct();
    std::set<std::string> open;
    for (const auto& [key, source] : plan.sources) {
        if (model::is_modelled(source)) {
            modelled_.insert(key);
        }
    }
    for (const model::Action& action : plan.actions) {
        for (const auto* effects : {&action.effects, &action.meanwhile}) {
            for (const model::Effect& effect : *effects) {
                const std::string key = model::fact_key(effect.member, effect.name);
                modelled_.insert(key);
                if (effect.kind == model::EffectKind::changes) {
                    open.insert(key);
                }
            }
        }
    }
    for (const model::PlanStore& store : plan.stores) {
        modelled_.insert(store.clean_stop.begin(), store.clean_stop.end());
        for (const std::string& level : store.levels) {
            open.erase(level);
        }
    }
    for (const std::string& key : open) {
        modelled_.erase(key);
    }
}

void TraceReplayer::take_over(Simulation& site) {
    for (const auto& [name, host] : plan_.hosts) {
        site.transport.host(name).hold();
    }
    site.transport.on_request([this, &site](const std::string& host, const Json& frame) {
        return passes(site, host, frame);
    });
    prepare();
}

// True if the request reaches the host. A lost host takes none, and the line to it breaks. Neither
// does a command arrive that the trace loses.
bool TraceReplayer::passes(Simulation& site, const std::string& host, const Json& frame) {
    if (unreachable_.contains(host)) {
        lose(site, host);
        return false;
    }
    return frame["do"].as_string() != "exec" || !is_never_begun(frame["action"].as_string());
}

// Returns the next step of this subject that has not happened.
std::size_t TraceReplayer::next_step_of(const std::string& about) const {
    for (std::size_t i = position_; i < story_.size(); ++i) {
        if (story_[i].subject == about && !early_steps_.contains(i)) {
            return i;
        }
    }
    return story_.size();
}

// True if the next step of the action after the current one is `broken`.
bool TraceReplayer::breaks_later(const std::string& action) const {
    for (std::size_t i = position_ + 1; i < story_.size(); ++i) {
        if (story_[i].subject == action && !early_steps_.contains(i)) {
            return story_[i].kind == Kind::broken;
        }
    }
    return false;
}

// True if a later step says that the command never arrived.
bool TraceReplayer::is_never_begun(const std::string& action) const {
    for (std::size_t i = position_; i < story_.size(); ++i) {
        const TraceStep& turn = story_[i];
        if (turn.subject == action && is_end(turn.kind) && turn.kind != Kind::no_answer) {
            return turn.kind == Kind::never_begun;
        }
    }
    return false;
}

// Keeps the first divergence: later ones follow from it.
void TraceReplayer::give_up(const std::string& instead) {
    if (divergence_.empty() && position_ < story_.size()) {
        divergence_ = fmt::format("turn {} of {} ({}) did not come about: {}",
                                  position_ + 1,
                                  story_.size(),
                                  story_[position_].text(),
                                  instead);
    }
}

// Goes to the next step that has not happened early.
void TraceReplayer::advance() {
    is_forced_ = false;
    since_ms_ = -1;
    while (position_ < story_.size() && early_steps_.contains(position_)) {
        ++position_;
    }
    prepare();
}

void TraceReplayer::consume(std::size_t turn) {
    if (plan_.find(story_[turn].subject) != nullptr) {
        last_[story_[turn].subject] = story_[turn].kind;
        restore_denied(story_[turn].subject);
    }
    early_steps_.insert(turn);
    advance();
}

// Keeps the list of actions in flight. Begins count only if the trace has them.
void TraceReplayer::note(const Event& event) {
    const std::string& action = plan_.actions[event.action].id;
    const auto last = last_.find(action);
    if (event.type == EventType::action_intended && last != last_.end()
        && (last->second == Kind::judged_yes || last->second == Kind::begun)) {
        begun_.push_back(action);
    } else if (event.type == EventType::action_attached
               || (event.type == EventType::action_ended && event.outcome != Outcome::unknown)) {
        std::erase(begun_, action);
    }
}

// After the end of the trace, only actions in flight are followed. A run that finds drift stops
// before the trace can go on: the model has no drift.
void TraceReplayer::on_event(const Event& event) {
    if (is_over()) {
        note(event);
        return;
    }
    if (event.type == EventType::drift_found) {
        give_up(fmt::format("a run that goes on compares the world first, and stops: {}",
                            event.detail["cause"].as_string()));
    } else if (event.type == EventType::run_halted || event.type == EventType::run_finished) {
        on_run(event.type == EventType::run_halted ? Kind::halted : Kind::finished);
    } else if (shown_by(event)) {
        on_action(plan_.actions[event.action].id, event);
        note(event);
    }
}

// A halt or finish consumes the first such step that is left.
void TraceReplayer::on_run(Kind kind) {
    for (std::size_t i = position_; i < story_.size(); ++i) {
        if (story_[i].kind == kind) {
            consume(i);
            return;
        }
    }
    give_up(fmt::format("the run {} before", name_of(kind)));
}

// Matches an event with the next step of its action. A step may stand for two events: a guard and
// its begin, an end and its postconditions. Then the action stays unsettled until the second event.
void TraceReplayer::on_action(const std::string& action, const Event& event) {
    const Kind shown = *shown_by(event);
    const std::size_t next = next_step_of(action);
    const auto last = last_.find(action);
    const auto last_is = [&](Kind kind) { return last != last_.end() && last->second == kind; };
    if (shown == Kind::kept) {
        system_.verify_copies(*plan_.find(action));
    }
    if (next < story_.size() && fits(shown, story_[next].kind)) {
        const Kind kind = story_[next].kind;
        consume(next);
        const model::Action& planned_action = *plan_.find(action);
        const bool expects_more =
            (kind == Kind::judged_yes && !planned_action.is_gate()) || kind == Kind::done;
        unsettled_action_ = expects_more ? action : unsettled_action_;
    } else if (next == story_.size()) {
        return;  // the trace has no further step of it
    } else if ((shown == Kind::begun && last_is(Kind::judged_yes))
               || (shown == Kind::kept && (last_is(Kind::done) || last_is(Kind::judged_yes)))
               || (shown == Kind::done && story_[next].kind == Kind::broken)
               || (shown == Kind::judged_yes && story_[next].kind == Kind::broken)) {
        unsettled_action_ = unsettled_action_ == action ? "" : unsettled_action_;
    } else {
        give_up(fmt::format("instead, {} is told as {} ({})",
                            action,
                            name_of(shown),
                            event.detail["because"].show()));
    }
}

void TraceReplayer::lose(Simulation& site, const std::string& host) {
    site.transport.lose(host, unreachable_.contains(host) ? k_for_ever : 0);
}

// Makes a step of members, hosts or laws happen. Returns false if the step is of another kind.
bool TraceReplayer::apply_environment_step(Simulation& site) {
    const TraceStep& turn = story_[position_];
    if (turn.kind == Kind::member_dies) {
        system_.kill(turn.subject);
    } else if (turn.kind == Kind::member_started) {
        system_.start_by_hand(turn.subject);
    } else if (turn.kind == Kind::member_restarts) {
        system_.start_by_itself(turn.subject);
    } else if (turn.kind == Kind::elected) {
        system_.elect(turn.subject);
    } else if (turn.kind == Kind::host_lost) {
        unreachable_.insert(turn.subject);
    } else if (turn.kind == Kind::host_back) {
        unreachable_.erase(turn.subject);
        lose(site, turn.subject);
    } else if (turn.kind == Kind::law_fires) {
        system_.fire_laws(turn.subject);
    } else {
        return false;
    }
    consume(position_);
    return true;
}

// Makes the end of an action happen on its host. Returns false if the action has not arrived there.
bool TraceReplayer::end_action(Simulation& site) {
    const Kind kind = story_[position_].kind;
    const model::Action& action = *plan_.find(story_[position_].subject);
    auto& host = site.transport.host(action.host);
    const auto key = running(site, action);
    if (kind == Kind::no_answer && (key || is_never_begun(action.id))) {
        lose(site, action.host);
        return true;
    }
    if (!key) {
        return kind == Kind::never_begun;  // the agent will say so
    }
    if (kind == Kind::done || kind == Kind::died_after || kind == Kind::broken
        || kind == Kind::failed_late || kind == Kind::interrupted_late) {
        host.take_effect(*key);
    }
    if (kind == Kind::done && !breaks_later(action.id)) {
        satisfy(action.postconditions, action);
    } else if (kind == Kind::broken) {
        falsify(action.postconditions, action);
    } else if (kind == Kind::died_after) {
        system_.kill(action.member);
    } else if (kind == Kind::interrupted_early) {
        system_.undo_begin(action.id);
    }
    if (fits(Kind::interrupted, kind)) {
        host.interrupt(*key);
        return true;
    }
    if (kind == Kind::failed || kind == Kind::failed_late) {
        host.fail_action(*key);
    }
    host.finish(*key);
    return true;
}

// True if all commands in flight have arrived, except those that the trace loses.
bool TraceReplayer::have_all_arrived(Simulation& site) const {
    return std::all_of(begun_.begin(), begun_.end(), [&](const std::string& id) {
        const model::Action& action = *plan_.find(id);
        return action.host.empty() || running(site, action) || is_never_begun(id);
    });
}

// The order: wait until an unsettled action is settled, make all steps of the environment, crash or
// end the conductor, make the end of an action. A step that does not happen in its time is a
// divergence.
void TraceReplayer::before_wait(Simulation& site) {
    const std::int64_t now = site.now_ms();
    since_ms_ = since_ms_ < 0 ? now : since_ms_;
    if (!unsettled_action_.empty() && now - since_ms_ < k_settle_ms) {
        return;
    }
    unsettled_action_.clear();
    while (!is_over() && apply_environment_step(site)) {
    }
    if (is_over()) {
        throw SimulatedCrash{};
    }
    const TraceStep turn = story_[position_];
    const model::Action* action = plan_.find(turn.subject);
    if (turn.kind == Kind::conductor_dies
        && (have_all_arrived(site) || now - since_ms_ > k_settle_ms)) {
        consume(position_);
        throw SimulatedCrash{};
    }
    const bool ends = action != nullptr && !action->host.empty()
                      && (is_end(turn.kind) || turn.kind == Kind::broken);
    if (ends && !is_forced_) {
        is_forced_ = end_action(site);
    }
    const std::int64_t action_ms =
        action == nullptr ? 0 : action->timeout_ms + action->guard_timeout_ms + action->soak_ms;
    if (now - since_ms_ > action_ms + k_grace_ms) {
        give_up("nothing happens any more");
        throw SimulatedCrash{};
    }
}

// The person approves or resumes only if the trace says so. Any other stop of the run is a
// divergence.
TraceReplayer::Next TraceReplayer::between(Simulation& site, const ConductorRun& life) {
    unsettled_action_.clear();
    while (!is_over() && apply_environment_step(site)) {
    }
    if (is_over()) {
        return Next::over;
    }
    const Kind kind = story_[position_].kind;
    if (life.died || kind == Kind::resumed) {
        if (!life.died) {
            consume(position_);
        }
        return Next::conduct;
    }
    if (kind == Kind::approved && !life.gate.empty()) {
        consume(position_);
        system_.approve(life.gate);
        return Next::approve;
    }
    const std::string cause = life.halt["cause"].as_string();
    give_up(!life.error.message.empty()
                ? life.error.message
                : fmt::format("the run has stopped: {}",
                              cause.empty() ? "it waits for a person" : cause));
    return Next::over;
}

void TraceReplayer::finish_begun(Simulation& site) {
    for (const std::string& id : std::exchange(begun_, {})) {
        const model::Action& action = *plan_.find(id);
        if (const auto key = running(site, action)) {
            site.transport.host(action.host).take_effect(*key);
        }
    }
}

}  // namespace drydock::sim
