#include "run/grammar.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock::run {
namespace {

using model::Action;
using model::Plan;

constexpr CompactEvent k_created = {EventType::run_created};
constexpr CompactEvent k_conductor = {EventType::conductor_started};
constexpr CompactEvent k_drift = {EventType::drift_found};
constexpr CompactEvent k_halted = {EventType::run_halted};
constexpr CompactEvent k_resumed = {EventType::run_resumed};
constexpr CompactEvent k_finished = {EventType::run_finished};

CompactEvent guard(std::size_t action, Outcome outcome = Outcome::yes) {
    return {EventType::facts_read, action, 0, outcome, Purpose::guard};
}

CompactEvent then(std::size_t action, Outcome outcome = Outcome::yes) {
    return {EventType::facts_read, action, 0, outcome, Purpose::then};
}

CompactEvent intended(std::size_t action, int attempt = 1) {
    return {EventType::action_intended, action, attempt};
}

CompactEvent ended(std::size_t action, Outcome outcome = Outcome::done, int attempt = 1) {
    return {EventType::action_ended, action, attempt, outcome};
}

CompactEvent attached(std::size_t action, Outcome outcome, int attempt = 1) {
    return {EventType::action_attached, action, attempt, outcome};
}

// A step, a gate after it, and a step after that.
Plan gated_plan() {
    Plan plan;
    for (const char* id : {"first", "gate", "last"}) {
        Action action;
        action.id = id;
        action.repeatable = model::Repeatable::yes;
        action.request = Json::Object{{"kind", "command"}};
        action.postconditions = {model::Condition{.fact = "x"}};
        action.attempts = 2;
        if (!plan.actions.empty()) {
            action.predecessors = {plan.actions.size() - 1};
        }
        plan.actions.push_back(std::move(action));
    }
    plan.actions[1].verb = model::Verb::gate;
    plan.actions[1].request = {};
    plan.actions[1].postconditions.clear();
    return plan;
}

std::vector<CompactEvent> joined(std::vector<CompactEvent> front,
                                 const std::vector<CompactEvent>& back) {
    front.insert(front.end(), back.begin(), back.end());
    return front;
}

const std::vector<CompactEvent> k_begun = {k_created, k_conductor, guard(0), intended(0)};
const std::vector<CompactEvent> k_stopped =
    joined(k_begun, {ended(0), then(0, Outcome::cannot_tell), k_halted});

std::string violation_in(const std::vector<CompactEvent>& events) {
    const Plan plan = gated_plan();
    return first_violation(Program(plan), events).value_or("");
}

TEST(Grammar, AcceptsAWholeRun) {
    EXPECT_EQ(violation_in(joined(k_begun,
                                  {ended(0),
                                   then(0),
                                   guard(1),
                                   {EventType::soak_started, 1},
                                   {EventType::gate_opened, 1},
                                   {EventType::gate_approved, 1},
                                   guard(2),
                                   intended(2),
                                   ended(2),
                                   then(2),
                                   k_finished})),
              "");
}

TEST(Grammar, AcceptsWhatRunsMeet) {
    const std::vector<std::vector<CompactEvent>> rests = {
        {ended(0, Outcome::failed), guard(0), intended(0, 2)},
        {attached(0, Outcome::none), guard(0), intended(0, 2)},  // a permission that lapsed
        {k_conductor, attached(0, Outcome::running), ended(0), then(0)},
        {k_conductor, k_drift, k_conductor, k_resumed, ended(0)},
        {ended(0), then(0), {EventType::run_paused}, k_conductor, k_resumed, guard(1)},
        {ended(0), then(0, Outcome::cannot_tell), k_halted, k_conductor, k_resumed, then(0)},
        {ended(0), then(0), guard(1, Outcome::no), k_halted, {EventType::run_aborted}},
        {k_conductor, {EventType::run_returned}},
        // It runs on beyond its time: nothing goes on beside it, and a resume asks for it again.
        {ended(0, Outcome::running), k_halted, k_conductor, k_resumed, ended(0), then(0)},
    };
    for (const auto& rest : rests) {
        EXPECT_EQ(violation_in(joined(k_begun, rest)), "");
    }
}

struct Bad {
    const char* name;
    std::vector<CompactEvent> events;
    std::size_t at;  // the number of the event that is refused
};

const std::vector<Bad> k_bad = {
    {"a conductor before the birth", {k_conductor}, 1},
    {"two births", {k_created, k_created}, 2},
    {"an action without a conductor", {k_created, guard(0)}, 2},
    {"an attempt without its guard", {k_created, k_conductor, intended(0)}, 3},
    {"an attempt out of turn", {k_created, k_conductor, guard(0), intended(0, 2)}, 4},
    {"an attempt that ends twice", joined(k_begun, {ended(0), ended(0)}), 6},
    {"the end of another attempt", joined(k_begun, {ended(0, Outcome::done, 2)}), 5},
    {"an end that is no end", joined(k_begun, {ended(0, Outcome::interrupted)}), 5},
    {"a promise of what still runs", joined(k_begun, {then(0)}), 5},
    {"a promise that is skipped", joined(k_begun, {ended(0), then(0, Outcome::skip)}), 6},
    {"a guard before its time", joined(k_begun, {guard(2)}), 5},
    {"a gate that opens before its soak",
     joined(k_begun, {ended(0), then(0), guard(1), {EventType::gate_opened, 1}}),
     8},
    {"an approval of a gate that soaks",
     joined(k_begun,
            {ended(0),
             then(0),
             guard(1),
             {EventType::soak_started, 1},
             {EventType::gate_approved, 1}}),
     9},
    {"a halt with work under way", joined(k_begun, {k_halted}), 5},
    {"a halt where nothing failed", joined(k_begun, {ended(0), then(0), k_halted}), 7},
    {"a pause with work under way", joined(k_begun, {{EventType::run_paused}}), 5},
    {"an end with work to do", joined(k_begun, {ended(0), then(0), k_finished}), 7},
    {"a resume of a run that only lost its conductor",
     joined(k_begun, {k_conductor, k_resumed}),
     6},
    {"a resume without a conductor", joined(k_stopped, {k_resumed}), 8},
    {"a resume behind other events", joined(k_stopped, {k_conductor, k_resumed, k_resumed}), 10},
    {"drift in the middle", joined(k_begun, {k_drift}), 5},
    {"work in a halted run", joined(k_stopped, {k_conductor, then(0)}), 9},
    {"work in a run that is given up",
     joined(k_stopped, {{EventType::run_aborted}, k_conductor}),
     9},
};

TEST(Grammar, RefusesWhatNoRunRecords) {
    for (const Bad& bad : k_bad) {
        const std::string why = violation_in(bad.events);
        EXPECT_TRUE(why.starts_with("event " + std::to_string(bad.at) + ":"))
            << bad.name << ": " << why;
    }
}

// Returns the events that may follow a command.
std::vector<CompactEvent> answers_to(const Command& command) {
    const std::size_t action = command.action;
    if (command.kind == CommandKind::begin) {
        return {intended(action, command.attempt)};
    }
    if (command.kind == CommandKind::judge) {
        std::vector<CompactEvent> answers;
        for (const Outcome outcome : {Outcome::yes, Outcome::no, Outcome::cannot_tell}) {
            answers.push_back({EventType::facts_read, action, 0, outcome, command.purpose});
        }
        return answers;
    }
    if (command.kind == CommandKind::ask) {
        return {ended(action, Outcome::unknown, command.attempt),
                attached(action, Outcome::running, command.attempt),
                attached(action, Outcome::none, command.attempt),
                attached(action, Outcome::interrupted, command.attempt)};
    }
    const std::map<CommandKind, EventType> others = {
        {CommandKind::soak, EventType::soak_started},
        {CommandKind::await_soak, EventType::gate_opened},
        {CommandKind::await_person, EventType::gate_approved},
        {CommandKind::halt, EventType::run_halted},
        {CommandKind::finish, EventType::run_finished}};
    return {{others.at(command.kind), action}};
}

std::vector<CompactEvent> possible_events(const Program& program, const State& state) {
    std::vector<CompactEvent> events = {k_conductor};
    if (state.phase() == Phase::halted) {
        return events;
    }
    for (const Command& command : next(program, state)) {
        for (const CompactEvent& answer : answers_to(command)) {
            events.push_back(answer);
        }
    }
    for (std::size_t i = 0; i < state.actions(); ++i) {
        if (state.status(i) == Status::intended) {
            events.push_back(ended(i, Outcome::done, state.attempt(i)));
            events.push_back(ended(i, Outcome::failed, state.attempt(i)));
            events.push_back(attached(i, Outcome::none, state.attempt(i)));
        }
    }
    return events;
}

// Walks through a run by next() and apply(), in any order of events.
RC_GTEST_PROP(GrammarProperty, AcceptsWhatNextAndApplyLeadTo, ()) {
    const Plan plan = gated_plan();
    const Program program(plan);
    Grammar grammar(program);
    std::vector<CompactEvent> events = {k_created, k_conductor};
    for (std::size_t i = 0; i < 150; ++i) {
        if (i == events.size()) {
            const auto possible = possible_events(program, grammar.state());
            events.push_back(*rc::gen::elementOf(possible));
            if (events.back().type == EventType::conductor_started
                && grammar.state().phase() == Phase::halted) {
                events.push_back(k_resumed);
            }
        }
        const auto why = grammar.accept(events[i]);
        RC_ASSERT(!why);
        if (grammar.state().phase() == Phase::finished) {
            break;
        }
        // Nothing but the start of a conductor has a meaning twice.
        Grammar twice = grammar;
        RC_ASSERT(events[i].type == EventType::conductor_started
                  || twice.accept(events[i]).has_value());
    }
}

}  // namespace
}  // namespace drydock::run
