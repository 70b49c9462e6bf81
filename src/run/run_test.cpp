#include "run/expected_facts.h"
#include "run/run.h"
#include "run/run_fixture.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace drydock::run {
namespace {

struct Row {
    const char* name;
    Event event;
    std::map<Status, Status> moves;  // every status that is not named stays as it is
};

// Each event moves an action only from a status in which the event makes sense.
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
        {"done", ended(Outcome::done), {{S::intended, S::applied}, {S::lost, S::applied}}},
        {"failed", ended(Outcome::failed), {{S::intended, S::failed}, {S::lost, S::failed}}},
        {"unknown", ended(Outcome::unknown), {{S::intended, S::lost}, {S::lost, S::agent_silent}}},
        {"paused", ended(Outcome::paused), {{S::intended, S::waiting}, {S::lost, S::waiting}}},
        {"of another attempt", ended(Outcome::done, 7), {}},
        {"still runs", attached(Outcome::running), {{S::lost, S::intended}}},
        {"never begun",
         attached(Outcome::none),
         {{S::intended, S::waiting}, {S::lost, S::waiting}}},
        {"torn",
         attached(Outcome::interrupted),
         {{S::intended, S::outcome_unknown}, {S::lost, S::outcome_unknown}}},
        {"promise kept",
         read(Purpose::then, Outcome::yes),
         {{S::applied, S::done}, {S::recheck, S::done}}},
        {"promise broken",
         read(Purpose::then, Outcome::no),
         {{S::applied, S::failed}, {S::recheck, S::waiting}}},
        {"promise not told",
         read(Purpose::then, Outcome::cannot_tell),
         {{S::applied, S::unverified}, {S::recheck, S::unverified}}},
        {"happened",
         read(Purpose::happened, Outcome::yes),
         {{S::outcome_unknown, S::applied}, {S::agent_silent, S::applied}}},
        {"did not happen",
         read(Purpose::happened, Outcome::no),
         {{S::outcome_unknown, S::waiting}, {S::agent_silent, S::unreachable}}},
        {"nobody knows",
         read(Purpose::happened, Outcome::cannot_tell),
         {{S::outcome_unknown, S::failed}, {S::agent_silent, S::unreachable}}},
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

// The action may be under way still. Only its own host, or a completion check, ends the doubt.
TEST(RunApply, AsksAgainWhoDidNotAnswerBeforeAnythingIsRepeated) {
    const Plan plan = diamond(Repeatable::yes);
    const State lost = with(running(plan), 0, Status::lost);
    const State unheard = apply(plan, lost, ended(Outcome::unknown));
    EXPECT_EQ(next(plan, unheard).front(), (Command{CommandKind::judge, 0, 0, Purpose::happened}));
    EXPECT_EQ(apply(plan, unheard, read(Purpose::happened, Outcome::yes)).status(0),
              Status::applied);
    for (const Outcome outcome : {Outcome::no, Outcome::cannot_tell}) {
        State state = apply(plan, unheard, read(Purpose::happened, outcome));
        EXPECT_EQ(state.status(0), Status::unreachable);
        state.set_status(1, Status::done);
        EXPECT_EQ(next(plan, state).front().kind, CommandKind::halt);
        state = resume(plan, state);
        EXPECT_EQ(next(plan, state).front(), (Command{CommandKind::ask, 0, 1, Purpose::none}));
    }
}

TEST(RunApply, LooksAgainForWhatCouldNotBeReadBeforeItIsRepeated) {
    const Plan plan = diamond(Repeatable::yes);
    State state = apply(
        plan, with(running(plan), 0, Status::applied), read(Purpose::then, Outcome::cannot_tell));
    EXPECT_TRUE(has_failed(state.status(0)));
    state = resume(plan, state);
    EXPECT_EQ(next(plan, state).front(), (Command{CommandKind::judge, 0, 0, Purpose::then}));
    EXPECT_EQ(apply(plan, state, read(Purpose::then, Outcome::yes)).status(0), Status::done);
    EXPECT_EQ(apply(plan, state, read(Purpose::then, Outcome::no)).status(0), Status::waiting);
    const State unseen = apply(plan, state, read(Purpose::then, Outcome::cannot_tell));
    EXPECT_EQ(unseen.status(0), Status::unverified);
    EXPECT_EQ(resume(plan, unseen).status(0), Status::recheck);
}

// An optional action that fails stops nothing, is recorded as failed, and is not tried again.
TEST(RunApply, GoesOnWithoutWhatIsOptional) {
    Plan plan = diamond(Repeatable::probe);
    plan.actions[0].optional = true;
    const std::vector<std::pair<Status, Event>> ends = {
        {Status::waiting, read(Purpose::guard, Outcome::no)},
        {Status::intended, ended(Outcome::failed)},
        {Status::applied, read(Purpose::then, Outcome::no)},
        {Status::applied, read(Purpose::then, Outcome::cannot_tell)},
        {Status::outcome_unknown, read(Purpose::happened, Outcome::cannot_tell)},
    };
    for (const auto& [status, event] : ends) {
        State state = apply(plan, with(running(plan), 0, status), event);
        EXPECT_TRUE(state.failed_optional(0)) << static_cast<int>(status);
        EXPECT_EQ(next(plan, state).front(), (Command{CommandKind::judge, 1, 0, Purpose::guard}));
        state = resume(plan, state);
        EXPECT_TRUE(state.failed_optional(0));
    }
    const State skipped = apply(plan, running(plan), read(Purpose::guard, Outcome::skip));
    EXPECT_FALSE(skipped.failed_optional(0));
}

TEST(RunNext, SeesWorkInFlightThroughBeforeItHalts) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(with(running(plan), 0, Status::failed), 1, Status::intended);
    EXPECT_EQ(next(plan, state), std::vector<Command>{});
    state.set_status(1, Status::lost);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{CommandKind::ask, 1, 1, Purpose::none}}));
    state.set_status(1, Status::done);
    EXPECT_EQ(next(plan, state), (std::vector<Command>{{CommandKind::halt, 0, 0, Purpose::none}}));
}

TEST(RunNext, PausesWhenNothingIsInFlight) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(running(plan), 0, Status::intended);
    request_pause(state);
    EXPECT_EQ(next(plan, state), std::vector<Command>{});
    const State quiet = with(state, 0, Status::done);
    EXPECT_EQ(next(plan, quiet), (std::vector<Command>{{CommandKind::pause, 0, 0, Purpose::none}}));
}

TEST(RunNext, WaitsAtTheGateAndFinishesAfterTheLast) {
    const Plan plan = diamond(Repeatable::probe);
    State state = with(with(running(plan), 0, Status::done), 1, Status::skipped);
    EXPECT_EQ(next(plan, state),
              (std::vector<Command>{{CommandKind::judge, 2, 0, Purpose::guard}}));
    state.set_status(2, Status::open);
    EXPECT_EQ(next(plan, state),
              (std::vector<Command>{{CommandKind::await_person, 2, 0, Purpose::none}}));
    state.set_status(2, Status::done);
    state.set_status(3, Status::done);
    EXPECT_EQ(next(plan, state),
              (std::vector<Command>{{CommandKind::finish, 0, 0, Purpose::none}}));
}

// A try that failed may have done half of its work, or a person the rest: that is no drift.
TEST(RunWorld, ExpectsNothingOfWhatWasTriedAndWillBeTriedAgain) {
    Plan plan = diamond(Repeatable::yes);
    plan.bound_facts["m1/running"] = {model::ObservationStatus::known, "1", "", 0};
    plan.actions[0].effects = {{model::EffectKind::becomes, "m1", "running", Json("2")}};
    State state = running(plan);
    EXPECT_EQ(expected_facts(plan, state)["m1/running"].any_of.size(), 1U);
    state.set(0, Status::waiting, 0, 1);
    EXPECT_TRUE(expected_facts(plan, state)["m1/running"].any_of.empty());
    state.set_status(0, Status::skipped);  // torn after its effect, then not needed any more
    EXPECT_TRUE(expected_facts(plan, state)["m1/running"].any_of.empty());
}

// The level of a store that a command migrates: the old format, then either, then the new one.
TEST(RunWorld, KnowsWhatACommandConverts) {
    Plan plan = diamond(Repeatable::probe);
    plan.to_version = "2";
    plan.bound_facts["schema"] = {model::ObservationStatus::known, "old", "", 0};
    plan.bound_facts["m1/revision"] = plan.bound_facts["schema"];
    plan.bound_facts["other"] = {model::ObservationStatus::known, 7, "", 0};
    plan.sources["schema"].derive = model::Derivation::agreed;
    plan.sources["schema"].inputs = {"m1/revision"};
    plan.sources["m1/revision"].member = "m1";
    plan.sources["other"].type = model::FactType::integer;
    plan.stores = {{.name = "database", .role = "m", .shared = true, .levels = {"schema"}},
                   {.name = "index", .role = "m", .shared = true, .levels = {"other"}}};
    plan.stores[1].laws["2"].writes = "8";
    plan.laws = {
        {.store = "database", .trigger = model::FormatTrigger::on_migrate, .becomes = "new"}};
    plan.actions[0].effects = {{model::EffectKind::raises, "m1", "database", {}},
                               {model::EffectKind::lowers, "m1", "index", {}}};
    State state = running(plan);
    const auto drifts = [&](const Json& schema, const Json& other) {
        const model::FactBook facts = {
            {"schema", {model::ObservationStatus::known, schema, "", 0}},
            {"m1/revision", {model::ObservationStatus::known, schema, "", 0}},
            {"other", {model::ObservationStatus::known, other, "", 0}}};
        return find_drift(plan, state, facts).size();
    };
    EXPECT_EQ(drifts("old", 7), 0U);
    EXPECT_EQ(drifts("new", 8), 3U);
    for (const Status status :
         {Status::intended, Status::applied, Status::unverified, Status::outcome_unknown}) {
        state.set_status(0, status);
        EXPECT_EQ(drifts("old", 7), 0U);
        EXPECT_EQ(drifts("new", 8), 0U);
        EXPECT_EQ(drifts("third", 9), 3U);
    }
    state.set_status(0, Status::done);
    EXPECT_EQ(drifts("new", 8), 0U);
    EXPECT_EQ(drifts("old", 7), 3U);
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
        if (command.kind != CommandKind::begin && command.kind != CommandKind::soak) {
            continue;
        }
        for (const std::size_t before : plan.actions[command.action].predecessors) {
            RC_ASSERT(over(state.status(before)));
        }
        if (command.kind == CommandKind::begin) {
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
