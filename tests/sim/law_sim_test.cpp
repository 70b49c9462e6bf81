// The laws of what really happens, in the modelled system: for each kind a plan that breaks it and
// one that does not.
#include "journal/memory/memory_journal.h"
#include "sim/replay_counterexample.h"
#include "sim/simulate_seed.h"
#include "sim/small_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::sim {
namespace {

using model::EffectKind;
using model::FormatTrigger;
using model::StandardFact;
using model::Verb;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* k_unreadable = "unreadable-start";

TEST(LawSim, AFormatThatRisesUnderAnOldMemberIsUnreadable) {
    SmallPlan small(2);
    small.store("data", true, FormatTrigger::on_start);
    small.roll("m1");
    QuietSystem quiet(small.plan);
    quiet.carry_out("m1/stop");
    quiet.carry_out("m1/install");
    EXPECT_THAT(quiet.broken(), IsEmpty());
    quiet.carry_out("m1/start");
    EXPECT_EQ(quiet.observed("data_level"), Json("2"));
    EXPECT_THAT(quiet.broken(), ElementsAre(k_unreadable));
}

// The first start closes the way back, and nobody was asked.
TEST(LawSim, AFormatThatRisesWithTheFirstStartNeedsAnApproval) {
    for (const bool is_approved : {true, false}) {
        SmallPlan small(1);
        small.store("data", true, FormatTrigger::on_start);
        small.plan.laws[0].blocks_downgrade = true;
        small.roll("m1");
        QuietSystem quiet(small.plan);
        if (is_approved) {
            quiet.system.approve();
        }
        for (const char* id : {"m1/stop", "m1/install", "m1/start"}) {
            quiet.carry_out(id);
        }
        EXPECT_EQ(quiet.broken().contains("unasked-return-point"), !is_approved);
    }
}

TEST(LawSim, AFormatOfItsOwnRisesUnderNobodyElse) {
    SmallPlan small(2);
    small.fact("", "highest_level", "1");
    small.store("data", false, FormatTrigger::on_start).levels = {"highest_level"};
    small.plan.laws[0].levels = {"highest_level"};
    small.roll("m1");
    small.roll("m2");
    EXPECT_THAT(broken_by_seeds(small.plan), IsEmpty());
}

TEST(LawSim, AReleaseThatOnlyStartsOnAFormatMayNotServe) {
    for (const bool has_clients : {true, false}) {
        SmallPlan small(1);
        model::PlanStore& store = small.store("data", true, FormatTrigger::on_migrate);
        store.laws["2.0"].reads = {"2"};
        store.laws["2.0"].starts_on = {"1"};
        small.fact("", "writes", has_clients, StandardFact::writes);
        small.roll("m1");
        small.action("migrate", Verb::migrate, "m1").effects = {
            on_store(EffectKind::raises, "data")};
        QuietSystem quiet(small.plan);
        for (const char* id : {"m1/stop", "m1/install", "m1/start", "migrate"}) {
            quiet.carry_out(id);
        }
        EXPECT_EQ(quiet.broken().contains(k_unreadable), has_clients);
        EXPECT_EQ(quiet.observed("m1/running"), Json("2.0"));
        QuietSystem by_itself(small.plan);
        for (const char* id : {"m1/stop", "m1/install"}) {
            by_itself.carry_out(id);
        }
        by_itself.system.start_by_itself("m1");
        EXPECT_EQ(by_itself.broken().contains(k_unreadable), has_clients);
    }
}

TEST(LawSim, ACommandRaisesOnlyIfTheConditionOfTheLawHolds) {
    SmallPlan small(2);
    small.store("data", true, FormatTrigger::when_all);
    small.roll("m1");
    small.action("raise", Verb::finalize).effects = {on_store(EffectKind::raises, "data")};
    small.roll("m2");
    QuietSystem quiet(small.plan);
    for (const char* id : {"m1/stop", "m1/install", "m1/start", "raise"}) {
        quiet.carry_out(id);
    }
    EXPECT_EQ(quiet.observed("data_level"), Json("1"));
    for (const char* id : {"m2/stop", "m2/install", "m2/start", "raise"}) {
        quiet.carry_out(id);
    }
    EXPECT_EQ(quiet.observed("data_level"), Json("2"));
    EXPECT_THAT(quiet.broken(), IsEmpty());
}

TEST(LawSim, AnyVerbThatWritesRunningRestartsAndAsksTheQuorum) {
    SmallPlan small(2);
    small.plan.roles[0].quorum = 2;
    model::Action& run = small.action("m1/switch", Verb::run, "m1");
    run.effects = {becomes("m1", "running", "2.0"), becomes("m1", "installed", "2.0")};
    QuietSystem quiet(small.plan);
    quiet.carry_out("m1/switch");
    EXPECT_EQ(quiet.observed("m1/running"), Json("2.0"));
    EXPECT_THAT(quiet.broken(), ElementsAre("quorum"));
}

TEST(LawSim, AValueThatHoldsMeanwhileStaysIfTheActionIsCutOff) {
    SmallPlan small(1);
    small.fact("", "dirty", false);
    small.action("migrate", Verb::migrate).meanwhile = {becomes("", "dirty", true)};
    QuietSystem quiet(small.plan);
    EXPECT_EQ(quiet.observed("dirty"), Json(false));
    quiet.system.begin("migrate");
    quiet.system.end("migrate");  // cut off
    EXPECT_EQ(quiet.observed("dirty"), Json(true));
    quiet.carry_out("migrate");  // as it was before the first attempt
    EXPECT_EQ(quiet.observed("dirty"), Json(false));
}

TEST(LawSim, AStoreThatIsDestroyedMeanwhileIsReadableAgainBehindASuccess) {
    SmallPlan small(1);
    small.store("data", true, FormatTrigger::on_migrate);
    small.action("copy", Verb::backup).effects = {on_store(EffectKind::copies, "data")};
    model::Action& migrate = small.action("migrate", Verb::migrate);
    migrate.meanwhile = {on_store(EffectKind::destroys, "data")};
    migrate.effects = {on_store(EffectKind::raises, "data"), becomes("", "data_level", "2")};
    QuietSystem quiet(small.plan);
    quiet.system.kill("m1");
    quiet.carry_out("copy");
    quiet.system.begin("migrate");
    EXPECT_EQ(quiet.observed("data_level"), Json());
    quiet.system.start_by_hand("m1");
    EXPECT_EQ(quiet.observed("m1/running"), Json());
    quiet.system.end("migrate");
    quiet.carry_out("migrate");
    EXPECT_EQ(quiet.observed("data_level"), Json("2"));
    EXPECT_THAT(quiet.broken(), IsEmpty());
}

// Two that rewrite it side by side: the store is whole again when both have ended.
TEST(LawSim, AStoreThatTwoDestroyMeanwhileIsPutBackByTheLast) {
    SmallPlan small(1);
    small.store("data", true, FormatTrigger::never);
    small.fact("", "dirty", false);
    for (const char* id : {"rewrite-a", "rewrite-b"}) {
        small.action(id, Verb::migrate).meanwhile = {on_store(EffectKind::destroys, "data"),
                                                     becomes("", "dirty", true)};
    }
    small.stop("m1");
    QuietSystem quiet(small.plan);
    quiet.carry_out("m1/stop");
    quiet.system.begin("rewrite-a");
    quiet.system.begin("rewrite-b");
    quiet.system.take_effect(*small.plan.find("rewrite-a"));
    EXPECT_EQ(quiet.observed("data_level"), Json());
    EXPECT_EQ(quiet.observed("dirty"), Json(true));
    quiet.system.take_effect(*small.plan.find("rewrite-b"));
    EXPECT_EQ(quiet.observed("data_level"), Json("1"));
    EXPECT_EQ(quiet.observed("dirty"), Json(false));
}

// A migration of a member's own store is nothing to the others.
TEST(LawSim, AMemberMigratesItsOwnStoreOnly) {
    for (const bool is_own : {true, false}) {
        SmallPlan small(2);
        small.store("data", false, FormatTrigger::on_migrate);
        for (const std::string member : {"m1", "m2"}) {
            small.stop(member);
            model::Action& migrate = small.action(member + "/migrate", Verb::migrate, member);
            migrate.effects = {{EffectKind::raises, member, "data", {}, is_own},
                               becomes(member, "installed", "2.0")};
            small.start(member, "2.0");
        }
        EXPECT_EQ(broken_by_seeds(small.plan).contains(k_unreadable), !is_own);
    }
}

// A copy remembers the format that it was made of.
TEST(LawSim, WhatIsDestroyedIsReadAgainOnlyBehindARestore) {
    for (const bool is_restored : {true, false}) {
        SmallPlan small(1);
        small.store("data", false, FormatTrigger::never);
        small.action("copy", Verb::backup).effects = {on_store(EffectKind::copies, "data")};
        small.stop("m1");
        small.action("destroy", Verb::destroy).effects = {on_store(EffectKind::destroys, "data")};
        if (is_restored) {
            small.action("restore", Verb::restore).effects = {
                on_store(EffectKind::restores, "data")};
        }
        small.start("m1", "1.0");
        EXPECT_EQ(broken_by_seeds(small.plan).contains(k_unreadable), !is_restored);
    }
}

TEST(LawSim, AStepThatNamesNoStoreRestoresAllCopies) {
    SmallPlan small(1);
    small.store("data", true, FormatTrigger::never);
    small.action("copy", Verb::backup).effects = {on_store(EffectKind::copies, "data")};
    small.stop("m1");
    small.action("destroy", Verb::destroy).effects = {on_store(EffectKind::destroys, "data")};
    small.action("restore", Verb::restore);
    QuietSystem quiet(small.plan);
    for (const char* id : {"copy", "m1/stop", "destroy"}) {
        quiet.carry_out(id);
    }
    EXPECT_EQ(quiet.observed("data_level"), Json());
    quiet.carry_out("restore");
    EXPECT_EQ(quiet.observed("data_level"), Json("1"));
}

TEST(LawSim, TemporaryFactsAreLeftBehind) {
    for (const bool is_switched_back : {true, false}) {
        SmallPlan small(1);
        small.fact("", "frozen", false);
        small.plan.temporaries = {{"frozen", small.plan.bound_facts["frozen"]}};
        small.action("freeze", Verb::run).effects = {becomes("", "frozen", true)};
        small.roll("m1");
        if (is_switched_back) {
            small.action("thaw", Verb::run).effects = {becomes("", "frozen", false)};
        }
        EXPECT_EQ(broken_by_seeds(small.plan).contains("left-behind"), !is_switched_back);
    }
}

// A run of a real conductor on a quiet system, with its journal.
class QuietRun {
public:
    explicit QuietRun(const model::Plan& plan) : quiet_(plan) {}

    // Returns the detail of the last event of this type; null if there is none.
    Json detail_of(const model::Plan& plan, run::EventType type) {
        Json detail;
        for (const run::Event& event : site.events(plan)) {
            detail = event.type == type ? event.detail : detail;
        }
        return detail;
    }

private:
    Environment ground() {
        return {[store = store_] { return journal::open_memory(store); },
                [](const model::Plan&, const ConductorRun&) {},
                [](const std::string&, std::vector<Violation>&) {},
                {}};
    }

    QuietSystem quiet_;
    transport::FakeClock clock_;
    transport::Faults dice_ = transport::Faults(1);
    std::shared_ptr<journal::MemoryStore> store_ = journal::make_memory_store();

public:
    Simulation site = Simulation(quiet_.system, clock_, dice_, ground());
};

SmallPlan plan_that_freezes() {
    SmallPlan small(1);
    small.fact("", "frozen", false);
    small.plan.temporaries = {{"frozen", small.plan.bound_facts["frozen"]}};
    small.action("freeze", Verb::run).effects = {becomes("", "frozen", true)};
    return small;
}

void add_gate(SmallPlan& small) {
    model::Action& gate = small.action("gate", Verb::gate);
    gate.gate = "gate";
    gate.request = {};
    gate.host.clear();
}

TEST(LawSim, AnAbortNamesWhatIsNotAsItWas) {
    SmallPlan small = plan_that_freezes();
    add_gate(small);
    QuietRun run(small.plan);
    EXPECT_EQ(run.site.conduct(small.plan).gate, "gate");
    EXPECT_TRUE(run.site.abort(small.plan));
    const Json left = run.detail_of(small.plan, run::EventType::run_aborted)["left_behind"];
    ASSERT_EQ(left.items().size(), 1U) << left.dump();
    EXPECT_EQ(left.items()[0]["fact"].as_string(), "frozen");
    EXPECT_EQ(left.items()[0]["found"].as_string(), "true");
    EXPECT_EQ(run.site.history(small.plan).left_behind, left);
}

TEST(LawSim, AnEndNamesWhatIsNotAsItWas) {
    for (const bool is_switched_back : {true, false}) {
        SmallPlan small = plan_that_freezes();
        if (is_switched_back) {
            small.action("thaw", Verb::run).effects = {becomes("", "frozen", false)};
        }
        QuietRun run(small.plan);
        EXPECT_EQ(run.site.conduct(small.plan).state.phase(), run::Phase::finished);
        const Json detail = run.detail_of(small.plan, run::EventType::run_finished);
        EXPECT_EQ(detail.contains("left_behind"), !is_switched_back) << detail.dump();
    }
}

TEST(LawSim, AnotherSeriesReadsAStoreOnlyBehindACleanStop) {
    for (const bool is_clean : {true, false}) {
        SmallPlan small(1);
        small.store("data", false, FormatTrigger::never).clean_stop = {"m1/clean"};
        small.fact("m1", "clean", false);
        small.roll("m1");
        QuietSystem quiet(small.plan);
        EXPECT_EQ(quiet.observed("m1/clean"), Json(false));
        if (!is_clean) {
            quiet.system.kill("m1");
        }
        quiet.carry_out("m1/stop");  // of a member that is down it changes nothing
        EXPECT_EQ(quiet.observed("m1/clean"), Json(is_clean));
        quiet.carry_out("m1/install");
        quiet.carry_out("m1/start");
        EXPECT_EQ(quiet.broken().contains(k_unreadable), !is_clean);
    }
}

// A member that died before its stop has left its store unclean. The guard waits for a person, who
// starts the old release and stops it.
TEST(LawSim, APersonCleansWhatAGuardWaitsFor) {
    SmallPlan small(1);
    small.store("data", false, FormatTrigger::never).clean_stop = {"m1/clean"};
    small.fact("m1", "clean", false);
    small.roll("m1");
    model::Condition clean;
    clean.fact = "clean";
    clean.role = "member";
    clean.quantifier = model::Quantifier::self;
    clean.operand = true;
    small.plan.actions.back().preconditions.push_back(clean);
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const auto run = simulate(small.plan, seed);
        ASSERT_TRUE(run) << run.error().text();
        for (const Violation& wrong : run->violations) {
            ADD_FAILURE() << seed << " " << wrong.property << ": " << wrong.description;
        }
    }
}

// After a full stop the one that stopped last has the newest data.
TEST(LawSim, AStaleCopyThatStartsAloneLosesWrites) {
    for (const std::string first : {"m1", "m2"}) {
        SmallPlan small(2);
        small.store("data", false, FormatTrigger::never).newest_last_stopped = true;
        small.roll("m1");
        small.roll("m2");
        QuietSystem quiet(small.plan);
        for (const char* id : {"m1/stop", "m2/stop"}) {
            quiet.carry_out(id);
        }
        quiet.carry_out(first + "/start");
        EXPECT_EQ(quiet.broken().contains("lost-writes"), first == "m1");
    }
}

TEST(LawSim, AStoreIsReadByTheReleaseOfItsAxis) {
    for (const bool is_rebuilt : {true, false}) {
        SmallPlan small(1);
        model::PlanStore& store = small.store("data", true, FormatTrigger::on_migrate);
        store.read_by = "libc";
        store.laws = {{"2.31", {.reads = {"1"}, .writes = "1"}},
                      {"2.36", {.reads = {"2"}, .writes = "2"}}};
        small.plan.laws[0].series = "2.36";
        small.fact("m1", "libc", "2.31");
        small.stop("m1");
        small.action("system", Verb::run, "m1").effects = {becomes("m1", "libc", "2.36")};
        if (is_rebuilt) {
            small.action("rebuild", Verb::migrate, "m1").effects = {
                on_store(EffectKind::raises, "data")};
        }
        small.start("m1", "1.0");
        EXPECT_EQ(broken_by_seeds(small.plan).contains(k_unreadable), !is_rebuilt);
    }
}

// A story of the checker: actions that end well, and steps of the environment behind them.
Json story_of(const std::vector<std::string>& actions, const Json& last) {
    Json trace = Json::Array{};
    for (const std::string& action : actions) {
        for (const char* what : {"judged_yes", "done"}) {
            trace.push(Json(Json::Object{{"what", what}, {"action", action}}));
        }
    }
    trace.push(last);
    return trace;
}

TEST(LawSim, AStoryWithAnElectionIsReplayed) {
    const SmallPlan small = plan_with_leader();
    const Json election = Json::Object{{"what", "elected"}, {"member", "m2"}};
    const auto told = replay(small.plan,
                             k_unreadable,
                             story_of({"m2/stop", "m2/install", "m2/start", "m1/stop"}, election));
    ASSERT_TRUE(told) << told.error().text();
    EXPECT_EQ(told->divergence, "");
    EXPECT_TRUE(told->is_reproduced);
}

TEST(LawSim, AStoryWithAStartByItselfIsReplayed) {
    SmallPlan small(2);
    small.plan.max_skew = 2;
    small.plan.skew = {{.role = "member", .peer_role = "member", .max_skew = 1}};
    small.roll("m1");
    small.plan.actions.erase(small.plan.actions.begin() + 2);  // its start is missing
    add_gate(small);
    small.plan.actions.back().predecessors = {1};
    const Json restart = Json::Object{{"what", "member_restarts"}, {"member", "m1"}};
    const auto told = replay(small.plan, "skew", story_of({"m1/stop", "m1/install"}, restart));
    ASSERT_TRUE(told) << told.error().text();
    EXPECT_EQ(told->divergence, "");
    EXPECT_TRUE(told->is_reproduced);
}

TEST(LawSim, AStoryThatLeavesSomethingBehindIsReplayed) {
    const SmallPlan small = plan_that_freezes();
    const Json finish = Json::Object{{"what", "finished"}};
    const auto told = replay(small.plan, "left-behind", story_of({"freeze"}, finish));
    ASSERT_TRUE(told) << told.error().text();
    EXPECT_TRUE(told->is_reproduced) << told->divergence;
}

}  // namespace
}  // namespace drydock::sim
