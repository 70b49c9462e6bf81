// A small plan and its events, for the tests of run/.
#pragma once

#include "run/run.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace drydock::run {

using model::Action;
using model::Condition;
using model::Plan;
using model::Repeatable;
using model::Verb;

inline constexpr std::array k_statuses = {Status::waiting,
                                          Status::ready,
                                          Status::intended,
                                          Status::lost,
                                          Status::outcome_unknown,
                                          Status::agent_silent,
                                          Status::applied,
                                          Status::recheck,
                                          Status::soaking,
                                          Status::open,
                                          Status::done,
                                          Status::skipped,
                                          Status::failed,
                                          Status::unreachable,
                                          Status::unverified};

inline Action
action(const std::string& id, std::vector<std::size_t> predecessors, Repeatable repeatable) {
    Action new_action;
    new_action.id = id;
    new_action.verb = Verb::run;
    new_action.host = "a";
    new_action.predecessors = std::move(predecessors);
    new_action.repeatable = repeatable;
    new_action.request = Json::Object{{"kind", "command"}};
    new_action.postconditions = {Condition{.fact = "x"}};
    return new_action;
}

// Two side by side, a gate after both, one after the gate.
inline Plan diamond(Repeatable repeatable) {
    Plan plan;
    plan.actions.push_back(action("left", {}, repeatable));
    plan.actions.push_back(action("right", {}, repeatable));
    Action gate;
    gate.id = "gate";
    gate.verb = Verb::gate;
    gate.gate = "gate";
    gate.predecessors = {0, 1};
    plan.actions.push_back(gate);
    plan.actions.push_back(action("last", {2}, repeatable));
    return plan;
}

inline State apply(const Plan& plan, State state, const CompactEvent& event) {
    run::apply(Program(plan), state, event);
    return state;
}

inline std::vector<Command> next(const Plan& plan, const State& state) {
    return run::next(Program(plan), state);
}

inline State running(const Plan& plan) {
    return apply(plan, State(plan.actions.size()), {EventType::conductor_started});
}

inline State with(State state, std::size_t index, Status status) {
    state.set(index, status, state.failures(index), 1);
    return state;
}

inline Event ended(Outcome outcome, int attempt = 1) {
    return {EventType::action_ended, 0, attempt, outcome, Purpose::none, {}};
}

inline Event attached(Outcome outcome, int attempt = 1) {
    return {EventType::action_attached, 0, attempt, outcome, Purpose::none, {}};
}

inline Event read(Purpose purpose, Outcome outcome) {
    return {EventType::facts_read, 0, 0, outcome, purpose, {}};
}

// A person answers a halt.
inline State resume(const Plan& plan, const State& state) {
    return apply(plan, apply(plan, state, {EventType::run_halted}), {EventType::run_resumed});
}

// The first action's guards hold, and its attempt is intended.
inline State intend(const Plan& plan, const State& state, int attempt) {
    return apply(plan,
                 apply(plan, state, read(Purpose::guard, Outcome::yes)),
                 {EventType::action_intended, 0, attempt});
}

}  // namespace drydock::run
