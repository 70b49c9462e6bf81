// What to do about what is known.
#include "run/run.h"

#include <algorithm>
#include <optional>

namespace drydock::run {

namespace {

bool predecessors_over(const Program& program, const State& state, std::size_t index) {
    const auto after = program.after(index);
    return std::all_of(after.begin(), after.end(), [&](std::size_t before) {
        return is_over(state.status(before));
    });
}

Command judge(std::size_t index, Purpose purpose) {
    return {Do::judge, index, 0, purpose};
}

// New work: only while nothing has failed and nobody asked to pause.
std::optional<Command> give_out(const Program& program, const State& state, std::size_t index) {
    if (!predecessors_over(program, state, index)) {
        return std::nullopt;
    }
    const bool gate = program.is_gate(index);
    switch (state.status(index)) {
    case Status::waiting:
        return judge(index, Purpose::guard);
    case Status::ready:
        return gate ? Command{Do::soak, index, 0, Purpose::none}
                    : Command{Do::begin, index, state.attempt(index) + 1, Purpose::none};
    case Status::soaking:
        return Command{Do::await_soak, index, 0, Purpose::none};
    case Status::open:
        return Command{Do::await_person, index, 0, Purpose::none};
    case Status::intended:
    case Status::lost:
    case Status::unsure:
    case Status::unheard:
    case Status::acted:
    case Status::recheck:
    case Status::done:
    case Status::skipped:
    case Status::failed:
    case Status::unreached:
    case Status::unseen:
        break;
    }
    return std::nullopt;
}

// Work in flight is always seen through to a known end.
std::optional<Command> see_through(const State& state, std::size_t index) {
    switch (state.status(index)) {
    case Status::lost:
        return Command{Do::ask, index, state.attempt(index), Purpose::none};
    case Status::unsure:
    case Status::unheard:
        return judge(index, Purpose::happened);
    case Status::acted:
    case Status::recheck:
        return judge(index, Purpose::then);
    case Status::waiting:
    case Status::ready:
    case Status::intended:
    case Status::soaking:
    case Status::open:
    case Status::done:
    case Status::skipped:
    case Status::failed:
    case Status::unreached:
    case Status::unseen:
        break;
    }
    return std::nullopt;
}

// Not to be given out any more once the run is to stop.
bool is_new_work(const Command& command) {
    return command.what != Do::ask
           && (command.what != Do::judge || command.purpose == Purpose::guard);
}

// What one look over all actions tells, beside the commands. One, because a large plan is looked
// over at every turn.
struct Look {
    std::optional<std::size_t> failed;  // the first one
    bool in_flight = false;
    bool all_over = true;
};

Look look_over(const Program& program, const State& state, std::vector<Command>& commands) {
    Look look;
    const bool pausing = state.phase() == Phase::pausing;
    for (std::size_t i = 0; i < state.actions(); ++i) {
        const Status status = state.status(i);
        if (is_over(status)) {
            continue;
        }
        look.all_over = false;
        auto command = see_through(state, i);
        look.in_flight = look.in_flight || status == Status::intended || command.has_value();
        if (has_failed(status) && !look.failed) {
            look.failed = i;
        }
        if (!command && !pausing && !look.failed) {
            command = give_out(program, state, i);
        }
        if (command) {
            commands.push_back(*command);
        }
    }
    return look;
}

}  // namespace

void next(const Program& program, const State& state, std::vector<Command>& out) {
    out.clear();
    if (state.phase() != Phase::running && state.phase() != Phase::pausing) {
        return;
    }
    const Look look = look_over(program, state, out);
    const bool stopping = look.failed.has_value() || state.phase() == Phase::pausing;
    if (look.all_over) {
        out.push_back({Do::finish, 0, 0, Purpose::none});
    } else if (stopping && !look.in_flight) {
        out.assign(
            {{look.failed ? Do::halt : Do::pause, look.failed.value_or(0), 0, Purpose::none}});
    } else if (stopping) {
        std::erase_if(out, is_new_work);
    }
}

std::vector<Command> next(const Program& program, const State& state) {
    std::vector<Command> commands;
    next(program, state, commands);
    return commands;
}

}  // namespace drydock::run
