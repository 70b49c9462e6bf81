// Expected facts under the laws of what happens: values that hold while an action runs, stores that
// are destroyed and restored, formats that rise by themselves, temporary facts.
#include "run/expected_facts.h"
#include "run/run_fixture.h"
#include "run/temporary_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace drydock::run {
namespace {

using model::Effect;
using model::EffectKind;
using model::FactBook;
using model::Observation;
using model::ObservationStatus;

Observation known(Json value) {
    return {ObservationStatus::known, std::move(value), "", 0};
}

constexpr auto k_nothing = ObservationStatus::absent;

// A plan whose first action is the diamond's "left", with facts that it is bound to.
Plan plan_with(const std::map<std::string, Json>& facts) {
    Plan plan = diamond(Repeatable::probe);
    plan.from_version = "1.0";
    plan.to_version = "2.0";
    for (const auto& [key, value] : facts) {
        plan.bound_facts[key] = value.is_null() ? Observation{k_nothing, {}, "", 0} : known(value);
        plan.sources[key].key = key;
    }
    return plan;
}

bool drifts(const Plan& plan, const State& state, const std::string& key, const Json& value) {
    const Observation found = value.is_null() ? Observation{k_nothing, {}, "", 0} : known(value);
    return !find_drift(plan, state, {{key, found}}).empty();
}

void bind(Plan& plan, const std::string& member, model::StandardFact standard) {
    model::FactSource& source =
        plan.sources[model::fact_key(member, model::k_standard_facts.of(standard))];
    source.member = member;
    source.standard_fact = standard;
}

// The levels of two members that own a store together.
Plan plan_of_laws(model::FormatTrigger raises) {
    Plan plan = plan_with({{"level", "a"}, {"m1/running", "1.0"}, {"m2/running", Json()}});
    bind(plan, "m1", model::StandardFact::running);
    bind(plan, "m2", model::StandardFact::running);
    plan.roles = {{.name = "member", .quorum = 0, .members = {"m1", "m2"}}};
    plan.stores = {{.name = "data", .role = "member", .shared = true, .levels = {"level"}}};
    plan.laws = {{.store = "data",
                  .role = "member",
                  .levels = {"level"},
                  .trigger = raises,
                  .series = "2.0",
                  .becomes = "b"}};
    plan.actions[0].effects = {{EffectKind::becomes, "m1", "running", "2.0"}};
    return plan;
}

TEST(RunLaws, ExpectWhatHoldsWhileAnActionRuns) {
    Plan plan = plan_with({{"dirty", false}});
    plan.actions[0].meanwhile = {{EffectKind::becomes, "", "dirty", true}};
    State state = running(plan);
    EXPECT_TRUE(drifts(plan, state, "dirty", true));
    for (const Status cut_off : {Status::intended, Status::outcome_unknown, Status::failed}) {
        state.set(0, cut_off, 0, 1);
        EXPECT_FALSE(drifts(plan, state, "dirty", true));
        EXPECT_FALSE(drifts(plan, state, "dirty", false));
    }
    state.set_status(0, Status::done);
    EXPECT_TRUE(drifts(plan, state, "dirty", true));
    EXPECT_FALSE(drifts(plan, state, "dirty", false));
}

// Facts of a member whose release a command of any verb moves.
Plan plan_of_moves(const Json& running) {
    Plan plan = plan_with({{"m1/running", "1.0"},
                           {"m1/ready", true},
                           {"m1/state", running.is_null() ? "running" : "stopped"}});
    bind(plan, "m1", model::StandardFact::running);
    bind(plan, "m1", model::StandardFact::ready);
    plan.sources["m1/state"].member = "m1";
    plan.sources["m1/state"].probe.set("kind", "service");
    plan.actions[0].effects = {{EffectKind::becomes, "m1", "running", running}};
    return plan;
}

TEST(RunLaws, ExpectWhoGoesDownToBeStopped) {
    Plan plan = plan_of_moves(Json());
    State state = running(plan);
    state.set_status(0, Status::done);
    EXPECT_FALSE(drifts(plan, state, "m1/ready", Json()));
    EXPECT_FALSE(drifts(plan, state, "m1/ready", false));
    EXPECT_TRUE(drifts(plan, state, "m1/ready", true));
    EXPECT_FALSE(drifts(plan, state, "m1/state", "stopped"));
    EXPECT_TRUE(drifts(plan, state, "m1/state", "running"));
    plan.actions[0].effects.push_back({EffectKind::becomes, "m1", "state", "broken"});
    EXPECT_FALSE(drifts(plan, state, "m1/state", "broken"));
    EXPECT_TRUE(drifts(plan, state, "m1/state", "stopped"));
}

// What comes up is what was installed before, whatever the step says that it starts.
TEST(RunLaws, ExpectWhatIsInstalledToComeUp) {
    for (const bool meanwhile : {false, true}) {
        Plan plan = plan_with({{"m1/running", "1.0"}, {"m1/installed", "2.0.1"}});
        bind(plan, "m1", model::StandardFact::running);
        bind(plan, "m1", model::StandardFact::installed);
        auto& effects = meanwhile ? plan.actions[0].meanwhile : plan.actions[0].effects;
        effects = {{EffectKind::becomes, "m1", "running", meanwhile ? Json() : Json("1.0")}};
        State state = running(plan);
        state.set_status(0, Status::done);
        EXPECT_TRUE(drifts(plan, state, "m1/running", "1.0"));
        EXPECT_FALSE(drifts(plan, state, "m1/running", "2.0.1"));
    }
}

// The step may have ended well without an answer: then what is installed runs.
TEST(RunLaws, ExpectWhatIsInstalledOfAStepInDoubt) {
    Plan plan = plan_with({{"m1/running", "1.0"}, {"m1/installed", "2.0.1"}});
    bind(plan, "m1", model::StandardFact::running);
    bind(plan, "m1", model::StandardFact::installed);
    plan.actions[0].meanwhile = {{EffectKind::becomes, "m1", "running", Json()}};
    State state = running(plan);
    EXPECT_TRUE(drifts(plan, state, "m1/running", "2.0.1"));
    state.set_status(0, Status::lost);
    for (const char* either : {"1.0", "2.0.1"}) {
        EXPECT_FALSE(drifts(plan, state, "m1/running", either)) << either;
    }
    EXPECT_TRUE(drifts(plan, state, "m1/running", "3.0"));
}

TEST(RunLaws, ExpectWhoComesUpToServe) {
    const Plan plan = plan_of_moves("2.0");
    State state = running(plan);
    EXPECT_TRUE(drifts(plan, state, "m1/state", "running"));
    state.set(0, Status::failed, 0, 1);
    EXPECT_FALSE(drifts(plan, state, "m1/state", "running"));
    EXPECT_FALSE(drifts(plan, state, "m1/state", "stopped"));
    state.set_status(0, Status::done);
    EXPECT_FALSE(drifts(plan, state, "m1/state", "running"));
    EXPECT_TRUE(drifts(plan, state, "m1/state", "stopped"));
    EXPECT_TRUE(drifts(plan, state, "m1/ready", false));
}

TEST(RunLaws, ExpectWhoIsDownMeanwhileToBeEither) {
    Plan plan = plan_of_moves(Json());
    plan.actions[0].meanwhile = std::exchange(plan.actions[0].effects, {});
    State state = running(plan);
    EXPECT_TRUE(drifts(plan, state, "m1/state", "stopped"));
    state.set(0, Status::failed, 0, 1);
    for (const char* either : {"stopped", "running"}) {
        EXPECT_FALSE(drifts(plan, state, "m1/state", either)) << either;
    }
    state.set_status(0, Status::done);
    EXPECT_TRUE(drifts(plan, state, "m1/state", "stopped"));
}

TEST(RunLaws, ExpectNothingOfAnActionThatNeverBegan) {
    Plan plan = plan_with({{"dirty", false}});
    plan.actions[0].meanwhile = {{EffectKind::becomes, "", "dirty", true}};
    State state = running(plan);
    state.set(0, Status::failed, 0, 0);
    EXPECT_TRUE(drifts(plan, state, "dirty", true));
}

TEST(RunLaws, ExpectTheLevelOfACopyBehindARestore) {
    Plan plan = plan_with({{"level", "a"}});
    plan.stores = {{.name = "data", .role = "m", .shared = true, .levels = {"level"}}};
    plan.actions[0].effects = {{EffectKind::copies, "m1", "data", {}}};
    plan.actions[1].effects = {{EffectKind::destroys, "m1", "data", {}}};
    plan.actions[3].effects = {{EffectKind::restores, "m1", "data", {}}};
    State state = with(running(plan), 0, Status::done);
    state.set_status(1, Status::done);
    EXPECT_FALSE(drifts(plan, state, "level", Json()));
    EXPECT_TRUE(drifts(plan, state, "level", "a"));
    state.set(3, Status::intended, 0, 1);
    EXPECT_FALSE(drifts(plan, state, "level", Json()));
    EXPECT_FALSE(drifts(plan, state, "level", "a"));
    state.set_status(3, Status::done);
    EXPECT_TRUE(drifts(plan, state, "level", Json()));
    EXPECT_FALSE(drifts(plan, state, "level", "a"));
}

TEST(RunLaws, RestoreAllCopiesByAStepThatNamesNone) {
    Plan plan = plan_with({{"level", "a"}});
    plan.stores = {{.name = "data", .role = "m", .shared = true, .levels = {"level"}}};
    plan.actions[0].effects = {{EffectKind::copies, "m1", "data", {}}};
    plan.actions[1].effects = {{EffectKind::destroys, "m1", "data", {}}};
    plan.actions[3].verb = Verb::restore;
    State state = with(running(plan), 0, Status::done);
    state.set_status(1, Status::done);
    state.set_status(3, Status::done);
    EXPECT_FALSE(drifts(plan, state, "level", "a"));
    EXPECT_TRUE(drifts(plan, state, "level", Json()));
}

TEST(RunLaws, ExpectFormatsThatRiseWhenAllThatRunAreNew) {
    const Plan plan = plan_of_laws(model::FormatTrigger::when_all_running);
    State state = running(plan);
    EXPECT_TRUE(drifts(plan, state, "level", "b"));
    state.set(0, Status::done, 0, 1);
    EXPECT_FALSE(drifts(plan, state, "level", "b"));
    EXPECT_FALSE(drifts(plan, state, "level", "a"));
}

TEST(RunLaws, ExpectFormatsThatRiseByALeader) {
    const Plan plan = plan_of_laws(model::FormatTrigger::on_lead);
    EXPECT_TRUE(drifts(plan, running(plan), "level", "b"));
    EXPECT_FALSE(drifts(plan, with(running(plan), 0, Status::done), "level", "b"));
}

// A command raises the format only if the law's own condition holds.
TEST(RunLaws, ExpectBothFormatsBehindACommandThatMayHaveNoEffect) {
    Plan plan = plan_of_laws(model::FormatTrigger::when_all);
    plan.actions[1].effects = {{EffectKind::raises, "", "data", {}}};
    const State state = with(running(plan), 1, Status::done);
    EXPECT_FALSE(drifts(plan, state, "level", "a"));
    EXPECT_FALSE(drifts(plan, state, "level", "b"));
    EXPECT_TRUE(drifts(plan, state, "level", "c"));
}

// A migration of one member's own is behind it; those of others and what the system tells may be
// not.
TEST(RunLaws, ExpectTheFormatOfTheOwnInstanceOnly) {
    Plan plan = plan_of_laws(model::FormatTrigger::on_migrate);
    plan.stores[0].shared = false;
    plan.stores[0].levels = {"level", "m1/level", "m2/level"};
    for (const char* member : {"m1", "m2"}) {
        const std::string key = model::fact_key(member, "level");
        plan.bound_facts[key] = known("a");
        plan.sources[key].key = key;
        plan.sources[key].member = member;
    }
    const auto migrated = [&](bool is_own) {
        plan.actions[1].effects = {{EffectKind::raises, "m1", "data", {}, is_own}};
        return with(running(plan), 1, Status::done);
    };
    EXPECT_TRUE(drifts(plan, migrated(true), "m1/level", "a"));
    EXPECT_FALSE(drifts(plan, migrated(true), "m1/level", "b"));
    EXPECT_TRUE(drifts(plan, migrated(true), "m2/level", "b"));
    EXPECT_FALSE(drifts(plan, migrated(true), "level", "a"));
    EXPECT_FALSE(drifts(plan, migrated(true), "level", "b"));
    EXPECT_FALSE(drifts(plan, migrated(false), "m2/level", "b"));
}

// A level over members is not known while all of them are down, as in the middle of a restore.
TEST(RunLaws, ExpectNoLevelOverMembersThatAreAllDown) {
    Plan plan = plan_of_laws(model::FormatTrigger::never);
    plan.sources["level"].derive = model::Derivation::highest;
    for (const char* key : {"m1/version", "m2/version"}) {
        plan.sources[key].key = key;
        plan.sources[key].member = std::string(key).substr(0, 2);
        plan.sources["level"].inputs.emplace_back(key);
    }
    const FactBook unknown = {{"level", {ObservationStatus::unknown, {}, "", 0}}};
    EXPECT_FALSE(find_drift(plan, running(plan), unknown).empty());
    plan.actions[0].effects = {{EffectKind::becomes, "m1", "running", Json()},
                               {EffectKind::becomes, "m2", "running", Json()}};
    const State stopped = with(running(plan), 0, Status::done);
    EXPECT_TRUE(find_drift(plan, stopped, unknown).empty());
    EXPECT_FALSE(drifts(plan, stopped, "level", "a"));
    EXPECT_TRUE(drifts(plan, stopped, "level", "c"));
}

TEST(RunLaws, LetLeadersMove) {
    Plan plan = plan_with({{"m1/leads", true}, {"m1/voter", true}});
    bind(plan, "m1", model::StandardFact::leads);
    bind(plan, "m1", model::StandardFact::voter);
    EXPECT_FALSE(drifts(plan, running(plan), "m1/leads", false));
    EXPECT_TRUE(drifts(plan, running(plan), "m1/voter", false));
}

TEST(RunLaws, OpenWhetherAStoreWasLeftCleanOnceItsMemberMoved) {
    Plan plan = plan_of_laws(model::FormatTrigger::never);
    plan.bound_facts["m1/clean"] = known(false);
    plan.sources["m1/clean"].member = "m1";
    plan.stores[0].clean_stop = {"m1/clean"};
    EXPECT_TRUE(drifts(plan, running(plan), "m1/clean", true));
    EXPECT_FALSE(drifts(plan, with(running(plan), 0, Status::done), "m1/clean", true));
}

TEST(RunLaws, ExpectNobodyReadyWhileTooFewRun) {
    Plan plan = plan_of_laws(model::FormatTrigger::never);
    plan.bound_facts["m1/ready"] = known(true);
    bind(plan, "m1", model::StandardFact::ready);
    plan.actions[3].effects = {{EffectKind::becomes, "m2", "running", "2.0"}};
    EXPECT_TRUE(drifts(plan, running(plan), "m1/ready", false));
    plan.roles[0].ready_with = 2;
    EXPECT_FALSE(drifts(plan, running(plan), "m1/ready", false));
    EXPECT_FALSE(drifts(plan, running(plan), "m1/ready", true));
}

TEST(RunLaws, ExpectATemporaryFactAsSwitchedUntilItIsSwitchedBack) {
    Plan plan = plan_with({{"noout", false}});
    plan.actions[0].effects = {{EffectKind::becomes, "", "noout", true}};
    plan.actions[3].effects = {{EffectKind::becomes, "", "noout", false}};
    State state = with(running(plan), 0, Status::done);
    EXPECT_TRUE(drifts(plan, state, "noout", false));
    EXPECT_FALSE(drifts(plan, state, "noout", true));
    state.set_status(3, Status::done);
    EXPECT_FALSE(drifts(plan, state, "noout", false));
}

// A server tells whether it is frozen, and nobody does while it is down.
TEST(RunLaws, ExpectNoTemporaryFactFromAMemberThatIsDown) {
    Plan plan = plan_of_laws(model::FormatTrigger::never);
    for (const char* key : {"m1/frozen", "m1/mark", "m2/mark"}) {
        plan.bound_facts[key] = {k_nothing, {}, "", 0};
        plan.sources[key].member = std::string(key).substr(0, 2);
        plan.sources[key].temporary = model::Temporary::always;
    }
    plan.bound_facts["m1/frozen"] = known(false);
    plan.actions[0].effects = {{EffectKind::becomes, "m1", "running", Json()}};
    EXPECT_TRUE(drifts(plan, running(plan), "m1/frozen", Json()));
    EXPECT_TRUE(drifts(plan, running(plan), "m1/mark", true));
    EXPECT_FALSE(drifts(plan, running(plan), "m2/mark", true));
    const State stopped = with(running(plan), 0, Status::done);
    EXPECT_FALSE(drifts(plan, stopped, "m1/frozen", Json()));
    EXPECT_FALSE(drifts(plan, stopped, "m1/frozen", false));
    EXPECT_TRUE(drifts(plan, stopped, "m1/frozen", true));
    plan.sources["m1/frozen"].temporary = model::Temporary::no;
    EXPECT_TRUE(drifts(plan, stopped, "m1/frozen", Json()));
    plan.sources["m1/frozen"].probe = Json(Json::Object{{"kind", "http"}});
    EXPECT_FALSE(drifts(plan, stopped, "m1/frozen", Json()));
    EXPECT_TRUE(drifts(plan, stopped, "m1/frozen", true));
    EXPECT_TRUE(drifts(plan, running(plan), "m1/frozen", Json()));
}

// A member that is down at the end tells nothing of what its process would.
TEST(RunTemporaries, OfAProcessThatIsDownAreUnknown) {
    Plan plan = plan_with({});
    bind(plan, "m1", model::StandardFact::running);
    plan.temporaries = {{"m1/mode", known("a"), model::Temporary::always}};
    plan.sources["m1/mode"].member = "m1";
    plan.sources["m1/mode"].probe = Json(Json::Object{{"kind", "http"}});
    FactBook facts = {{"m1/mode", {k_nothing, {}, "", 0}}, {"m1/running", known("1.0")}};
    EXPECT_THAT(facts_that_tell_what_is_left(plan), testing::ElementsAre("m1/mode", "m1/running"));
    ASSERT_EQ(find_left_behind(plan, facts).size(), 1U);
    EXPECT_FALSE(find_left_behind(plan, facts).front().cannot_tell);
    facts["m1/running"] = {k_nothing, {}, "", 0};
    ASSERT_EQ(find_left_behind(plan, facts).size(), 1U);
    EXPECT_TRUE(find_left_behind(plan, facts).front().cannot_tell);
    EXPECT_EQ(find_left_behind(plan, facts).front().actual, "not known (m1 is down)");
}

TEST(RunTemporaries, AreLeftBehindIfTheyAreNotAsBefore) {
    Plan plan = plan_with({});
    plan.temporaries = {{"noout", known(false), model::Temporary::always},
                        {"cordon", {k_nothing, {}, "", 0}, model::Temporary::always},
                        {"repository", known("old"), model::Temporary::way_back}};
    FactBook facts = {
        {"noout", known(false)}, {"cordon", {k_nothing, {}, "", 0}}, {"repository", known("new")}};
    EXPECT_TRUE(find_left_behind(plan, facts).empty());
    facts["cordon"] = known(true);
    ASSERT_EQ(find_left_behind(plan, facts).size(), 1U);
    EXPECT_EQ(find_left_behind(plan, facts).front().key, "cordon");
    facts.erase("noout");
    EXPECT_TRUE(find_left_behind(plan, facts).front().cannot_tell
                || find_left_behind(plan, facts).back().cannot_tell);
    plan.reverts_run = "forward";
    EXPECT_EQ(find_left_behind(plan, facts).size(), 3U);
    EXPECT_EQ(temporaries_to_restore(plan).size(), 3U);
}

}  // namespace
}  // namespace drydock::run
