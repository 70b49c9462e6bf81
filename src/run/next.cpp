// What to do about what is known.
#include "run/run.h"

#include <algorithm>
#include <optional>

namespace drydock::run {

namespace {

using model::Plan;

bool is_over(Status status) {
    return status == Status::done || status == Status::skipped;
}

bool predecessors_over(const Plan& plan, const State& state, std::size_t index) {
    const auto& after = plan.actions[index].after;
    return std::all_of(after.begin(), after.end(), [&](std::size_t before) {
        return is_over(state.status(before));
    });
}

Command judge(std::size_t index, Purpose purpose) {
    return {Do::judge, index, 0, purpose};
}

// New work: only while nothing has failed and nobody asked to pause.
std::optional<Command> give_out(const Plan& plan, const State& state, std::size_t index) {
    if (!predecessors_over(plan, state, index)) {
        return std::nullopt;
    }
    const bool gate = plan.actions[index].is_gate();
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
    case Status::acted:
    case Status::done:
    case Status::skipped:
    case Status::failed:
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
        return judge(index, Purpose::happened);
    case Status::acted:
        return judge(index, Purpose::then);
    case Status::waiting:
    case Status::ready:
    case Status::intended:
    case Status::soaking:
    case Status::open:
    case Status::done:
    case Status::skipped:
    case Status::failed:
        break;
    }
    return std::nullopt;
}

// Not to be given out any more once the run is to stop.
bool is_new_work(const Command& command) {
    return command.what != Do::ask
           && (command.what != Do::judge || command.purpose == Purpose::guard);
}

// What one look over all actions tells. One, because a large plan is looked over at every turn.
struct Look {
    std::vector<Command> commands;
    std::optional<std::size_t> failed;  // the first one
    bool in_flight = false;
    bool all_over = true;
};

Look look_over(const Plan& plan, const State& state) {
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
        if (status == Status::failed && !look.failed) {
            look.failed = i;
        }
        if (!command && !pausing && !look.failed) {
            command = give_out(plan, state, i);
        }
        if (command) {
            look.commands.push_back(*command);
        }
    }
    return look;
}

}  // namespace

std::vector<Command> next(const Plan& plan, const State& state) {
    if (state.phase() != Phase::running && state.phase() != Phase::pausing) {
        return {};
    }
    Look look = look_over(plan, state);
    const bool stopping = look.failed.has_value() || state.phase() == Phase::pausing;
    if (look.all_over) {
        return {{Do::finish, 0, 0, Purpose::none}};
    }
    if (stopping && !look.in_flight) {
        return {{look.failed ? Do::halt : Do::pause, look.failed.value_or(0), 0, Purpose::none}};
    }
    if (stopping) {
        std::erase_if(look.commands, is_new_work);
    }
    return std::move(look.commands);
}

}  // namespace drydock::run
