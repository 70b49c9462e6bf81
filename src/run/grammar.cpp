// Decides for each event whether the run may record it now.
//
// Three rules cover all types. An event of an action needs a running phase, and changes the state
// or was asked for by next(). An event that ends a run is the one that next() asks for. The first
// event is run_created, and it comes only once. A note of a person changes nothing and may stand
// anywhere in a live run. docs/design/0005-the-run-session.md lists the events that each operation
// records.
#include "run/grammar.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::run {

namespace {

bool is_terminal(Phase phase) {
    return phase == Phase::finished || phase == Phase::returned || phase == Phase::aborted;
}

bool awaits_a_person(Phase phase) {
    return phase == Phase::halted || phase == Phase::paused;
}

bool is_one_of(Outcome outcome, std::initializer_list<Outcome> outcomes) {
    return std::find(outcomes.begin(), outcomes.end(), outcome) != outcomes.end();
}

// True if the outcome suits the type: the end of an attempt, the report of an agent, or a
// judgement.
bool has_fitting_outcome(const CompactEvent& event) {
    if (event.type == EventType::action_ended) {
        return is_one_of(
            event.outcome,
            {Outcome::done, Outcome::failed, Outcome::unknown, Outcome::running, Outcome::paused});
    }
    if (event.type == EventType::action_attached) {
        return is_one_of(event.outcome, {Outcome::running, Outcome::none, Outcome::interrupted});
    }
    if (event.type != EventType::facts_read) {
        return event.outcome == Outcome::none;
    }
    const bool skips = event.outcome == Outcome::skip && event.purpose == Purpose::guard;
    return skips || is_one_of(event.outcome, {Outcome::yes, Outcome::no, Outcome::cannot_tell});
}

std::string describe(const Program& program, const CompactEvent& event) {
    std::string text(name_of(event.type));
    if (is_of_action(event.type) && program.actions() > 0) {
        text += fmt::format(" of action {}", event.action);
    }
    if (event.attempt != 0) {
        text += fmt::format(", attempt {}", event.attempt);
    }
    if (event.purpose != Purpose::none) {
        text += fmt::format(", {}", name_of(event.purpose));
    }
    return event.outcome == Outcome::none ? text
                                          : text + fmt::format(", {}", name_of(event.outcome));
}

}  // namespace

Grammar::Grammar(const Program& program) : program_(program), state_(program.actions()) {
}

// True if next() asks for the command that leads to this event.
bool Grammar::asks_for(CommandKind kind, const CompactEvent& event) {
    next(program_, state_, commands_);
    return std::any_of(commands_.begin(), commands_.end(), [&](const Command& command) {
        const bool is_same = !is_of_action(event.type) || command.action == event.action;
        return command.kind == kind && is_same
               && (kind != CommandKind::begin || command.attempt == event.attempt);
    });
}

// True if next() asks for a pause. No event records a person's request to pause, so the request is
// assumed.
bool Grammar::asks_to_pause() {
    State pausing = state_;
    request_pause(pausing);
    next(program_, pausing, commands_);
    return commands_.size() == 1 && commands_.front().kind == CommandKind::pause;
}

// True if apply() gives the event a meaning here.
bool Grammar::changes(const CompactEvent& event) const {
    State next_state = state_;
    apply(program_, next_state, event);
    return !(next_state == state_);
}

// True if all predecessors are over. A guard that was asked for is judged although an action has
// failed meanwhile.
bool Grammar::is_ready_to_judge(std::size_t action) const {
    const auto predecessors = program_.predecessors(action);
    return std::all_of(predecessors.begin(), predecessors.end(), [&](std::size_t predecessor) {
        return is_over(state_.status(predecessor));
    });
}

// An intent and a soak have to be asked for; progress belongs to an attempt in flight; anything
// else has to change the state.
bool Grammar::is_legal_for_action(const CompactEvent& event) {
    if (state_.phase() != Phase::running || event.action >= program_.actions()) {
        return false;
    }
    if (event.type == EventType::action_intended) {
        return asks_for(CommandKind::begin, event);
    }
    if (event.type == EventType::soak_started) {
        return asks_for(CommandKind::soak, event);
    }
    if (event.type == EventType::action_progress) {
        return is_in_flight(state_.status(event.action))
               && state_.attempt(event.action) == event.attempt;
    }
    const bool is_guard = event.purpose == Purpose::guard;
    return changes(event) && (!is_guard || is_ready_to_judge(event.action));
}

// A drift and a resume follow directly behind the start of a conductor: it compares before it goes
// on.
bool Grammar::is_legal_for_run(const CompactEvent& event) {
    const Phase phase = state_.phase();
    const bool begins = last_ == EventType::conductor_started;
    if (event.type == EventType::drift_found) {
        return begins;
    }
    if (event.type == EventType::run_resumed) {
        return begins && awaits_a_person(phase);
    }
    if (event.type == EventType::conductor_started || event.type == EventType::run_aborted
        || event.type == EventType::run_returned || event.type == EventType::run_noted) {
        return !is_terminal(phase);
    }
    return ends_as_asked(event);
}

bool Grammar::ends_as_asked(const CompactEvent& event) {
    if (event.type == EventType::run_paused) {
        return asks_to_pause();
    }
    return asks_for(event.type == EventType::run_halted ? CommandKind::halt : CommandKind::finish,
                    event);
}

bool Grammar::is_legal(const CompactEvent& event) {
    if (!last_ || event.type == EventType::run_created) {
        return !last_ && event.type == EventType::run_created;
    }
    if (!has_fitting_outcome(event)) {
        return false;
    }
    return is_of_action(event.type) ? is_legal_for_action(event) : is_legal_for_run(event);
}

std::optional<std::string> Grammar::accept(const CompactEvent& event) {
    if (!is_legal(event)) {
        return fmt::format("{} has no meaning here", describe(program_, event));
    }
    apply(program_, state_, event);
    if (event.type != EventType::run_noted) {  // a person's words may stand between any two events
        last_ = event.type;
    }
    return std::nullopt;
}

std::optional<std::string> first_violation(const Program& program,
                                           std::span<const CompactEvent> events) {
    Grammar grammar(program);
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (const auto violation = grammar.accept(events[i])) {
            return fmt::format("event {}: {}", i + 1, *violation);
        }
    }
    return std::nullopt;
}

}  // namespace drydock::run
