#include "run/run.h"
#include "run/world.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock::run {
namespace {

using model::Action;
using model::Condition;
using model::Plan;
using model::Repeatable;
using model::Verb;

constexpr std::array k_statuses = {Status::waiting,
                                   Status::ready,
                                   Status::intended,
                                   Status::lost,
                                   Status::unsure,
                                   Status::unheard,
                                   Status::acted,
                                   Status::recheck,
                                   Status::soaking,
                                   Status::open,
                                   Status::done,
                                   Status::skipped,
                                   Status::failed,
                                   Status::unreached,
                                   Status::unseen};

Action action(const std::string& id, std::vector<std::size_t> after, Repeatable repeatable) {
    Action one;
    one.id = id;
    one.verb = Verb::run;
    one.host = "a";
    one.after = std::move(after);
    one.repeatable = repeatable;
    one.request = Json::Object{{"kind", "command"}};
    one.then = {Condition{.fact = "x"}};
    return one;
}

// Two side by side, a gate after both, one after the gate.
Plan diamond(Repeatable repeatable) {
    Plan plan;
    plan.actions.push_back(action("left", {}, repeatable));
    plan.actions.push_back(action("right", {}, repeatable));
    Action gate;
    gate.id = "gate";
    gate.verb = Verb::gate;
    gate.gate = "gate";
    gate.after = {0, 1};
    plan.actions.push_back(gate);
    plan.actions.push_back(action("last", {2}, repeatable));
    return plan;
}

State apply(const Plan& plan, State state, const Move& event) {
    run::apply(Program(plan), state, event);
    return state;
}

std::vector<Command> next(const Plan& plan, const State& state) {
    return run::next(Program(plan), state);
}

State running(const Plan& plan) {
    return apply(plan, State(plan.actions.size()), {EventType::conductor_started});
}

State with(State state, std::size_t index, Status status) {
    state.set(index, status, state.failures(index), 1);
    return state;
}

Event ended(Outcome outcome, int attempt = 1) {
    return {EventType::action_ended, 0, attempt, outcome, Purpose::none, {}};
}

Event attached(Outcome outcome, int attempt = 1) {
    return {EventType::action_attached, 0, attempt, outcome, Purpose::none, {}};
}

Event read(Purpose purpose, Outcome outcome) {
    return {EventType::facts_read, 0, 0, outcome, purpose, {}};
}

// A person answers a halt.
State resume(const Plan& plan, const State& state) {
    return apply(plan, apply(plan, state, {EventType::run_halted}), {EventType::run_resumed});
}

// The first action's guards hold, and its attempt is intended.
State intend(const Plan& plan, const State& state, int attempt) {
    return apply(plan,
                 apply(plan, state, read(Purpose::guard, Outcome::yes)),
                 {EventType::action_intended, 0, attempt});
}

struct Row {
    const char* name;
    Event event;
    std::map<Status, Status> moves;  // every status that is not named stays as it is
};

// Each event only moves an action that is in the status in which it makes sense.
TEST(RunApply, MovesByTheTable) {
    using S = Status;
    const std::vector<Row> rows = {
        {"guard holds", read(Purpose::guard, Outcome::yes), {{S::waiting, S::ready}}},
        {"guard is not needed", read(Purpose::guard, Outcome::skip), {{S::waiting, S::skipped}}},
        {"guard does not hold", read(Purpose::guard, Outcome::no), {{S::waiting, S::failed}}},
        {"guard cannot be told",
         read(Purpose::guard, Outcome::cannot_tell),
         {{S::waiting, S::failed}}},
        {"intended", {EventType::action_intended, 0, 2}, {{S::ready, S::intended}}},
        {"intended out of turn", {EventType::action_intended, 0, 1}, {}},
        {"done", ended(Outcome::done), {{S::intended, S::acted}, {S::lost, S::acted}}},
        {"failed", ended(Outcome::failed), {{S::intended, S::failed}, {S::lost, S::failed}}},
        {"unknown", ended(Outcome::unknown), {{S::intended, S::lost}, {S::lost, S::unheard}}},
        {"of another attempt", ended(Outcome::done, 7), {}},
        {"still runs", attached(Outcome::running), {{S::lost, S::intended}}},
        {"never begun",
         attached(Outcome::none),
         {{S::intended, S::waiting}, {S::lost, S::waiting}}},
        {"torn", attached(Outcome::torn), {{S::intended, S::unsure}, {S::lost, S::unsure}}},
        {"promise kept",
         read(Purpose::then, Outcome::yes),
         {{S::acted, S::done}, {S::recheck, S::done}}},
        {"promise broken",
         read(Purpose::then, Outcome::no),
         {{S::acted, S::failed}, {S::recheck, S::waiting}}},
        {"promise not told",
         read(Purpose::then, Outcome::cannot_tell),
         {{S::acted, S::unseen}, {S::recheck, S::unseen}}},
        {"happened",
         read(Purpose::happened, Outcome::yes),
         {{S::unsure, S::acted}, {S::unheard, S::acted}}},
        {"did not happen",
         read(Purpose::happened, Outcome::no),
         {{S::unsure, S::waiting}, {S::unheard, S::unreached}}},
        {"nobody knows",
         read(Purpose::happened, Outcome::cannot_tell),
         {{S::unsure, S::failed}, {S::unheard, S::unreached}}},
        {"soak begins", {EventType::soak_started}, {{S::ready, S::soaking}}},
        {"gate opens", {EventType::gate_opened}, {{S::soaking, S::open}}},
        {"approved", {EventType::gate_approved}, {{S::open, S::done}}},
    };
    const Plan plan = diamond(Repeatable::probe);
    for (const Row& row : rows) {
        for (const Status status : k_statuses) {
            const State before = with(running(plan), 0, status);
            const State after = apply(plan, before, row.event);
            const auto move = row.moves.find(status);
            EXPECT_EQ(after.status(0), move == row.moves.end() ? status : move->second)
                << row.name << " in " << static_cast<int>(status);
        }
    }
}

TEST(RunApply, ANewConductorBelievesNothingThatWasUnderWay) {
    const Plan plan = diamond(Repeatable::probe);
    for (const Status status : k_statuses) {
        const State after =
            apply(plan, with(running(plan), 0, status), {EventType::conductor_started});
        const Status expected = status == Status::intended ? Status::lost
                                : status == Status::ready  ? Status::waiting
                                                           : status;
        EXPECT_EQ(after.status(0), expected);
    }
}

TEST(RunApply, TriesAgainAsOftenAsThePackAllows) {
    Plan plan = diamond(Repeatable::yes);
    plan.actions[0].attempts = 2;
    State state = apply(plan, with(running(plan), 0, Status::intended), ended(Outcome::failed));
    EXPECT_EQ(state.status(0), Status::waiting);
    state.set_status(0, Status::intended);
    state = apply(plan, std::move(state), ended(Outcome::failed));
    EXPECT_EQ(state.status(0), Status::failed);
    EXPECT_EQ(resume(plan, state).status(0), Status::waiting);
}

// It may be under way still: nothing but its own host, or a probe that has seen it, ends the doubt.
TEST(RunApply, AsksAgainWhoDidNotAnswerBeforeAnythingIsRepeated) {
    const Plan plan = diamond(Repeatable::yes);
    const State lost = with(running(plan), 0, Status::lost);
    const State unheard = apply(plan, lost, ended(Outcome::unknown));
    EXPECT_EQ(next(plan, unheard).front(), (Command{Do::judge, 0, 0, Purpose::happened}));
    EXPECT_EQ(apply(plan, unheard, read(Purpose::happened, Outcome::yes)).status(0), Status::acted);
    for (const Outcome outcome : {Outcome::no, Outcome::cannot_tell}) {
        State state = apply(plan, unheard, read(Purpose::happened, outcome));
        EXPECT_EQ(state.status(0), Status::unreached);
        state.set_status(1, Status::done);
        EXPECT_EQ(next(plan, state).front().what, Do::halt);
        state = resume(plan, state);
        EXPECT_EQ(next(plan, state).front(), (Command{Do::ask, 0, 1, Purpose::none}));
    }
}

TEST(RunApply, LooksAgainForWhatCouldNotBeReadBeforeItIsRepeated) {
    const Plan plan = diamond(Repeatable::yes);
    State state = apply(
        plan, with(running(plan), 0, Status::acted), read(Purpose::then, Outcome::cannot_tell));
    EXPECT_TRUE(has_failed(state.status(0)));
    state = resume(plan, state);
    EXPECT_EQ(next(plan, state).front(), (Command{Do::judge, 0, 0, Purpose::then}));
    EXPECT_EQ(apply(plan, state, read(Purpose::then, Outcome::yes)).status(0), Status::done);
    EXPECT_EQ(apply(plan, state, read(Purpose::then, Outcome::no)).status(0), Status::waiting);
    const State unseen = apply(plan, state, read(Purpose::then, Outcome::cannot_tell));
    EXPECT_EQ(unseen.status(0), Status::unseen);
    EXPECT_EQ(resume(plan, unseen).status(0), Status::recheck);
}

// What is optional stops nothing, is known to have failed, and is not tried again.
TEST(RunApply, GoesOnWithoutWhatIsOptional) {
    Plan plan = diamond(Repeatable::probe);
    plan.actions[0].optional = true;
    const std::vector<std::pair<Status, Event>> ends = {
        {Status::waiting, read(Purpose::guard, Outcome::no)},
        {Status::intended, ended(Outcome::failed)},
        {Status::acted, read(Purpose::then, Outcome::no)},
        {Status::acted, read(Purpose::then, Outcome::cannot_tell)},
        {Status::unsure, read(Purpose::happened, Outcome::cannot_tell)},
    };
    for (const auto& [status, event] : ends) {
        State state = apply(plan, with(running(plan), 0, status), event);
        EXPECT_TRUE(state.left_out(0)) << static_cast<int>(status);
        EXPECT_EQ(next(plan, state).front(), (Command{Do::judge, 1, 0, Purpose::guard}));
        state = resume(plan, state);
        EXPECT_TRUE(state.left_out(0));
    }
    const State skipped = apply(plan, running(plan), read(Purpose::guard, Outcome::skip));
    EXPECT_FALSE(skipped.left_out(0));
}

// It may be under way still: what comes behind it must not begin beside it.
TEST(RunApply, LeavesNothingOutThatMayBeUnderWay) {
    Plan plan = diamond(Repeatable::probe);
    plan.actions[0].optional = true;
    for (const Outcome outcome : {Outcome::no, Outcome::cannot_tell}) {
        State state =
            apply(plan, with(running(plan), 0, Status::unheard), read(Purpose::happened, outcome));
        EXPECT_EQ(state.status(0), Status::unreached);
        state.set_status(1, Status::done);
        EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::halt, 0, 0, Purpose::none}}));
        state = apply(plan, resume(plan, state), ended(Outcome::failed));
        EXPECT_TRUE(state.left_out(0));
    }
}

// A conductor that died is no person who saw to what failed.
TEST(RunApply, ResumesOnlyAfterAHaltOrAPause) {
    const Plan plan = diamond(Repeatable::no);
    for (const Phase phase : {Phase::created,
                              Phase::running,
                              Phase::pausing,
                              Phase::finished,
                              Phase::returned,
                              Phase::aborted}) {
        State state = with(running(plan), 0, Status::failed);
        state.set_phase(phase);
        EXPECT_EQ(apply(plan, state, {EventType::run_resumed}), state);
    }
    State paused = with(running(plan), 0, Status::done);
    paused = apply(plan, paused, {EventType::run_paused});
    EXPECT_EQ(apply(plan, paused, {EventType::run_resumed}).phase(), Phase::running);
}

// A permission that lapsed before the command left is no failure and begins nothing.
TEST(RunApply, CountsNoAttemptThatNeverBegan) {
    const Plan plan = diamond(Repeatable::no);
    State state = running(plan);
    for (int attempt = 1; attempt < k_unbegun_max; ++attempt) {
        state = intend(plan, state, attempt);
        EXPECT_EQ(state.begun(0), 1);
        state = apply(plan, state, attached(Outcome::none, attempt));
        ASSERT_EQ(state.status(0), Status::waiting) << attempt;
        EXPECT_EQ(state.begun(0), 0);
        EXPECT_EQ(state.failures(0), 0);
    }
    state = apply(plan, intend(plan, state, k_unbegun_max), attached(Outcome::none, k_unbegun_max));
    EXPECT_EQ(state.status(0), Status::failed);
    EXPECT_TRUE(repeats_used_up(state, 0));
}

TEST(RunApply, RepeatsUnknownOutcomesSoOftenAndNoMore) {
    const Plan plan = diamond(Repeatable::yes);
    State state = running(plan);
    for (int attempt = 1; attempt <= k_attempts_max; ++attempt) {
        state = apply(plan, intend(plan, state, attempt), attached(Outcome::torn, attempt));
        state = apply(plan, state, read(Purpose::happened, Outcome::cannot_tell));
    }
    EXPECT_EQ(state.status(0), Status::failed);
    EXPECT_TRUE(repeats_used_up(state, 0));
    EXPECT_FALSE(attempts_used_up(state, 0));
    EXPECT_EQ(intend(plan, resume(plan, state), k_attempts_max + 1).status(0), Status::intended);
}

// No attempt is intended whose number the state cannot hold.
TEST(RunApply, FailsForGoodWhenTheNumbersOfAttemptsAreUsedUp) {
    const Plan plan = diamond(Repeatable::yes);
    const int last = State::k_attempt_max;
    State state = running(plan);
    state.set(0, Status::waiting, 0, last - 1);
    state = intend(plan, state, last);
    EXPECT_EQ(state.attempt(0), last);
    EXPECT_TRUE(attempts_used_up(state, 0));
    EXPECT_EQ(apply(plan, state, ended(Outcome::done, last)).status(0), Status::acted);
    state = apply(plan, state, ended(Outcome::failed, last));
    for (int i = 0; i < 3; ++i) {
        state = apply(plan, resume(plan, state), read(Purpose::guard, Outcome::yes));
        EXPECT_EQ(state.status(0), Status::failed);
        EXPECT_EQ(state.attempt(0), last);
    }
}

// Whether this event tells for certain that the last attempt changed nothing, or a person answers.
bool allows_repeat(const Event& event, Phase phase) {
    const bool is_unbegun =
        event.type == EventType::action_attached && event.outcome == Outcome::none;
    const bool is_undone = event.type == EventType::facts_read && event.purpose == Purpose::happened
                           && event.outcome == Outcome::no;
    const bool is_answered =
        event.type == EventType::run_resumed && (phase == Phase::halted || phase == Phase::paused);
    return is_unbegun || is_undone || is_answered;
}

std::vector<Event> all_events() {
    std::vector<Event> events;
    for (int type = 0; type <= static_cast<int>(EventType::run_aborted); ++type) {
        for (int outcome = 0; outcome <= static_cast<int>(Outcome::skip); ++outcome) {
            for (int purpose = 0; purpose <= static_cast<int>(Purpose::happened); ++purpose) {
                events.push_back({static_cast<EventType>(type),
                                  0,
                                  1,
                                  static_cast<Outcome>(outcome),
                                  static_cast<Purpose>(purpose),
                                  {}});
            }
        }
    }
    return events;
}

// In every status and phase, and whatever happens there.
TEST(RunApply, BeginsWhatMayNotBeRepeatedAgainOnlyWhenAPersonAnswered) {
    Plan plan = diamond(Repeatable::no);
    plan.actions[0].attempts = 5;
    const std::set<Status> to_begin = {Status::waiting, Status::ready};
    for (const Status status : k_statuses) {
        for (int phase = 0; phase <= static_cast<int>(Phase::aborted); ++phase) {
            for (const Event& event : all_events()) {
                State state = with(running(plan), 0, status);
                state.set_phase(static_cast<Phase>(phase));
                const State after = apply(plan, state, event);
                const bool repeats =
                    !to_begin.contains(status) && to_begin.contains(after.status(0));
                EXPECT_TRUE(!repeats || allows_repeat(event, static_cast<Phase>(phase)))
                    << name_of(event.type) << ' ' << name_of(event.outcome) << " in "
                    << static_cast<int>(status);
            }
        }
    }
}

TEST(RunNext, SeesWorkInFlightThroughBeforeItHalts) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(with(running(plan), 0, Status::failed), 1, Status::intended);
    EXPECT_EQ(next(plan, state), std::vector<Command>{});
    state.set_status(1, Status::lost);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::ask, 1, 1, Purpose::none}}));
    state.set_status(1, Status::done);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::halt, 0, 0, Purpose::none}}));
}

TEST(RunNext, PausesWhenNothingIsInFlight) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(running(plan), 0, Status::intended);
    request_pause(state);
    EXPECT_EQ(next(plan, state), std::vector<Command>{});
    const State quiet = with(state, 0, Status::done);
    EXPECT_EQ(next(plan, quiet), (std::vector<Command>{{Do::pause, 0, 0, Purpose::none}}));
}

TEST(RunNext, WaitsAtTheGateAndFinishesAfterTheLast) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(with(running(plan), 0, Status::done), 1, Status::skipped);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::judge, 2, 0, Purpose::guard}}));
    state.set_status(2, Status::open);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::await_person, 2, 0, Purpose::none}}));
    state.set_status(2, Status::done);
    state.set_status(3, Status::done);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{Do::finish, 0, 0, Purpose::none}}));
}

// A try that failed may have done half of its work, or a person the rest: that is no drift.
TEST(RunWorld, ExpectsNothingOfWhatWasTriedAndWillBeTriedAgain) {
    Plan plan = diamond(Repeatable::yes);
    plan.planned["m1/running"] = {model::Known::known, "1", "", 0};
    plan.actions[0].effects = {{"becomes", "m1", "running", Json("2")}};
    State state = running(plan);
    EXPECT_EQ(expected_world(plan, state)["m1/running"].any_of.size(), 1U);
    state.set(0, Status::waiting, 0, 1);
    EXPECT_TRUE(expected_world(plan, state)["m1/running"].any_of.empty());
    state.set_status(0, Status::skipped);  // torn after its effect, then not needed any more
    EXPECT_TRUE(expected_world(plan, state)["m1/running"].any_of.empty());
}

TEST(RunState, HoldsItsNumbersInSmallAndInLargePlans) {
    for (const std::size_t actions : {1U, 59U, 60U, 1000U}) {
        State state(actions);
        state.set_status(actions - 1, Status::failed);
        state.set(actions - 1, Status::failed, 20, 21);
        state.set_phase(Phase::halted);
        EXPECT_EQ(state.status(actions - 1), Status::failed);
        EXPECT_EQ(state.attempt(actions - 1), 21);
        EXPECT_EQ(state.failures(actions - 1), 20);
        EXPECT_EQ(state.phase(), Phase::halted);
        State taken;
        taken.set_cells(state.cells());
        EXPECT_EQ(taken, state);
        EXPECT_EQ(taken.hash(), state.hash());
        taken.set_status(0, Status::done);
        EXPECT_FALSE(taken == state);
    }
}

bool over(Status status) {
    return status == Status::done || status == Status::skipped;
}

Event random_event() {
    const auto type = static_cast<EventType>(*rc::gen::inRange(1, 13));
    return {type,
            *rc::gen::inRange<std::size_t>(0, 4),
            *rc::gen::inRange(1, 4),
            static_cast<Outcome>(*rc::gen::inRange(0, 10)),
            static_cast<Purpose>(*rc::gen::inRange(0, 4)),
            {}};
}

// Carries out what next() says of beginnings, and checks each.
State begin_all(const Plan& plan, State state, std::set<std::pair<std::size_t, int>>& begun) {
    for (const Command& command : next(plan, state)) {
        if (command.what != Do::begin && command.what != Do::soak) {
            continue;
        }
        for (const std::size_t before : plan.actions[command.action].after) {
            RC_ASSERT(over(state.status(before)));
        }
        if (command.what == Do::begin) {
            RC_ASSERT(begun.emplace(command.action, command.attempt).second);
            state =
                apply(plan, state, {EventType::action_intended, command.action, command.attempt});
        }
    }
    return state;
}

// Whatever happens in whatever order: nothing begins before what it waits for is over, and no
// attempt begins twice.
RC_GTEST_PROP(RunProperty, BeginsInOrderAndEachAttemptOnce, ()) {
    const Plan plan =
        diamond(*rc::gen::element(Repeatable::yes, Repeatable::no, Repeatable::probe));
    std::set<std::pair<std::size_t, int>> begun;
    State state = running(plan);
    for (int i = *rc::gen::inRange(1, 120); i > 0; --i) {
        Event event = random_event();
        if (event.type == EventType::action_intended) {
            continue;  // only the conductor says so
        }
        state = begin_all(plan, apply(plan, std::move(state), event), begun);
    }
}

// An action that may not be repeated begins again only when it is certain that it did not happen.
RC_GTEST_PROP(RunProperty, RepeatsOnlyWhatDidNotHappen, ()) {
    const Plan plan = diamond(Repeatable::no);
    State state = with(running(plan), 0, Status::intended);
    for (int i = *rc::gen::inRange(1, 40); i > 0; --i) {
        Event event = random_event();
        event.action = 0;
        const bool told =
            (event.type == EventType::action_attached && event.outcome == Outcome::none)
            || (event.purpose == Purpose::happened && event.outcome == Outcome::no)
            || event.type == EventType::run_resumed;
        if (told || event.type == EventType::action_intended) {
            continue;
        }
        state = apply(plan, std::move(state), event);
        RC_ASSERT(state.status(0) != Status::waiting && state.status(0) != Status::ready);
    }
}

}  // namespace
}  // namespace drydock::run
