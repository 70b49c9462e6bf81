// next(): returns the commands for a state.
//
// It looks once over all actions. An action that waits for new work gets its command if its
// predecessors are over. An action whose outcome is open gets its question in any case. When an
// action has failed or a pause was requested, no new work is given out. Work in flight then ends,
// and at last the run halts or pauses. So a run never stops with an unknown outcome that a host
// could still report.
#include "run/run.h"

#include <algorithm>
#include <array>
#include <limits>

namespace drydock::run {

namespace {

using Cells = std::span<const State::Cell>;

// The class of an action by its status, and the command that it gets.
struct PendingAction {
    // A set of bits.
    enum ActionClass : std::uint8_t {
        over = 1,
        to_come = 2,
        in_flight = 4,
        asked = 8,
        failed = 16
    };

    std::uint8_t classes = over;
    CommandKind kind = CommandKind::judge;  // if it is to come, or asked about
    Purpose purpose = Purpose::none;
};

// Work in flight is always followed to a known end.
constexpr PendingAction pending_action_of(Status status) {
    switch (status) {
    case Status::waiting:
        return {PendingAction::to_come, CommandKind::judge, Purpose::guard};
    case Status::ready:
        return {PendingAction::to_come, CommandKind::begin};
    case Status::soaking:
        return {PendingAction::to_come, CommandKind::await_soak};
    case Status::open:
        return {PendingAction::to_come, CommandKind::await_person};
    case Status::intended:
        return {PendingAction::in_flight};
    case Status::lost:
        return {PendingAction::in_flight | PendingAction::asked, CommandKind::ask};
    case Status::outcome_unknown:
    case Status::agent_silent:
        return {
            PendingAction::in_flight | PendingAction::asked, CommandKind::judge, Purpose::happened};
    case Status::applied:
    case Status::recheck:
        return {PendingAction::in_flight | PendingAction::asked, CommandKind::judge, Purpose::then};
    case Status::failed:
    case Status::unreachable:
    case Status::unverified:
        return {PendingAction::failed};
    case Status::done:
    case Status::skipped:
        return {PendingAction::over};
    }
    return {};
}

// Looked up by status: a checker looks at every action of every state.
constexpr auto k_pending_actions = [] {
    std::array<PendingAction, 16> turns = {};
    for (std::size_t i = 0; i < turns.size(); ++i) {
        turns.at(i) = pending_action_of(static_cast<Status>(i));
    }
    return turns;
}();

constexpr const PendingAction& pending_action_in(State::Cell cell) {
    return k_pending_actions[static_cast<std::size_t>(State::status_in(cell))];
}

// True if all predecessors are over.
bool predecessors_over(const Program& program, Cells cells, std::size_t index) {
    const auto predecessors = program.predecessors(index);
    return std::all_of(predecessors.begin(), predecessors.end(), [&](std::size_t predecessor) {
        return is_over(State::status_in(cells[predecessor]));
    });
}

// Adds the attempt: the next number for a begin, the present one for a question to the host.
Command
command_of(const Program& program, const State& state, std::size_t index, PendingAction turn) {
    if (turn.kind == CommandKind::begin && program.is_gate(index)) {
        return {CommandKind::soak, index};
    }
    const int last = state.attempt(index);
    const int attempt = turn.kind == CommandKind::begin ? last + 1
                        : turn.kind == CommandKind::ask ? last
                                                        : 0;
    return {turn.kind, index, attempt, turn.purpose};
}

// True for a command that is held back once the run is to stop.
bool is_new_work(const Command& command) {
    return command.kind != CommandKind::ask
           && (command.kind != CommandKind::judge || command.purpose == Purpose::guard);
}

constexpr std::size_t k_nothing = std::numeric_limits<std::size_t>::max();

// The result of one pass over all actions, beside the commands. There is only one pass, because a
// large plan is looked over at every turn.
struct ActionSummary {
    std::uint8_t classes = 0;              // of all actions
    std::size_t first_failed = k_nothing;  // the first one
};

// Collects commands. New work is given out only while no action has failed and no pause was
// requested.
ActionSummary
summarize(const Program& program, const State& state, std::vector<Command>& commands) {
    ActionSummary look;
    bool gives_out = state.phase() != Phase::pausing;
    const Cells cells = state.of_actions();
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const PendingAction& turn = pending_action_in(cells[i]);
        look.classes |= turn.classes;
        if ((turn.classes & (PendingAction::to_come | PendingAction::asked | PendingAction::failed))
            == 0) {
            continue;
        }
        if ((turn.classes & PendingAction::failed) != 0) {
            look.first_failed = std::min(look.first_failed, i);
            gives_out = false;
        } else if ((turn.classes & PendingAction::asked) != 0
                   || (gives_out && predecessors_over(program, cells, i))) {
            commands.push_back(command_of(program, state, i, turn));
        }
    }
    return look;
}

}  // namespace

void next(const Program& program, const State& state, std::vector<Command>& commands) {
    commands.clear();
    if (state.phase() != Phase::running && state.phase() != Phase::pausing) {
        return;
    }
    const ActionSummary look = summarize(program, state, commands);
    const bool failed = (look.classes & PendingAction::failed) != 0;
    const bool stopping = failed || state.phase() == Phase::pausing;
    if ((look.classes & ~PendingAction::over) == 0) {
        commands.push_back({CommandKind::finish, 0, 0, Purpose::none});
    } else if (stopping && (look.classes & PendingAction::in_flight) == 0) {
        commands.assign(
            {{failed ? CommandKind::halt : CommandKind::pause, failed ? look.first_failed : 0}});
    } else if (stopping) {
        std::erase_if(commands, is_new_work);
    }
}

std::vector<Command> next(const Program& program, const State& state) {
    std::vector<Command> commands;
    next(program, state, commands);
    return commands;
}

}  // namespace drydock::run
