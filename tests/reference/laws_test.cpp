// The reference explorer under each law of what happens: small plans that break it, and that do
// not.
#include "reference/small_plan.h"

#include <gtest/gtest.h>

namespace drydock::reference {
namespace {

using checker::Faults;
using model::EffectKind;
using model::FormatTrigger;
using model::StandardFact;
using model::Verb;

constexpr Faults k_failure_only = {1, 0, 0, 0, 0};
constexpr Faults k_death_only = {0, 0, 0, 1, 0};

TEST(LawsOfWhatHappens, MigrationUnderTheOldRelease) {
    SmallPlan early(2);
    early.store(FormatTrigger::on_migrate, true);
    early.acts_on_store(Verb::migrate, EffectKind::raises);
    early.roll("n1");
    early.roll("n2");
    EXPECT_EQ(early.broken(), "unreadable-start");
    SmallPlan late(2);
    late.store(FormatTrigger::on_migrate, true);
    late.roll("n1");
    late.roll("n2");
    late.acts_on_store(Verb::migrate, EffectKind::raises);
    EXPECT_EQ(late.broken(), "nothing");
}

TEST(LawsOfWhatHappens, CommandBeforeTheConditionOfItsLaw) {
    for (const bool late : {false, true}) {
        SmallPlan small(2);
        small.store(FormatTrigger::when_all, true).levels = {"level"};
        small.fact("", "level", StandardFact::level, "1");
        small.roll("n1");
        if (late) {
            small.roll("n2");
        }
        small.acts_on_store(Verb::finalize, EffectKind::raises).remedy = "";
        model::Condition risen;
        risen.fact = "level";
        risen.quantifier = model::Quantifier::system;
        risen.relation = model::Relation::is;
        risen.operand = "2";
        small.plan.actions.back().postconditions = {risen};
        EXPECT_EQ(small.broken(), late ? "nothing" : "stuck");
    }
}

TEST(LawsOfWhatHappens, StartsOnAndMayNotServe) {
    for (const bool served : {true, false}) {
        SmallPlan small = all_stopped_first(1);
        model::PlanStore& store = small.store(FormatTrigger::on_migrate, false);
        store.laws["2.0"].reads = {"2"};
        store.laws["2.0"].starts_on = {"1"};
        small.fact("", "writes", StandardFact::writes, served ? "accepted" : "refused");
        small.start("n1");
        small.acts_on_store(Verb::migrate, EffectKind::raises);
        small.becomes("", "writes", "accepted");
        EXPECT_EQ(small.broken(), served ? "unreadable-start" : "nothing");
    }
}

// Nobody asked for it, and clients are let in: it serves on what it may only start on.
TEST(LawsOfWhatHappens, StartsByItselfAndMayNotServe) {
    for (const bool served : {true, false}) {
        for (const bool restarts : {true, false}) {
            SmallPlan small = all_stopped_first(1);
            small.plan.roles.front().restarts = restarts;
            model::PlanStore& store = small.store(FormatTrigger::on_migrate, false);
            store.laws["2.0"].reads = {"2"};
            store.laws["2.0"].starts_on = {"1"};
            small.fact("", "writes", StandardFact::writes, served ? "accepted" : "refused");
            small.becomes("", "writes", "refused");
            small.start("n1");
            small.acts_on_store(Verb::migrate, EffectKind::raises);
            small.becomes("", "writes", "accepted");
            EXPECT_EQ(small.broken(), served && restarts ? "unreadable-start" : "nothing");
        }
    }
}

TEST(LawsOfWhatHappens, RunThatTakesTwoDown) {
    for (const int quorum : {1, 0}) {
        SmallPlan small(2);
        small.plan.kind = "rolling";
        small.plan.roles.front().quorum = quorum;
        small.install("n1");
        small.install("n2");
        model::Action& action = small.moves(Verb::run, "n1", "2.0");
        action.effects.push_back({EffectKind::becomes, "n2", "running", "2.0"});
        EXPECT_EQ(small.broken(), quorum == 1 ? "quorum" : "nothing");
    }
}

TEST(LawsOfWhatHappens, RunIsJudgedAsAStart) {
    SmallPlan small(1);
    small.store(FormatTrigger::never, false).laws["2.0"].reads = {"2"};
    small.install("n1");
    small.moves(Verb::run, "n1", "2.0");
    EXPECT_EQ(small.broken(), "unreadable-start, stuck");
}

TEST(LawsOfWhatHappens, TemporaryFactThatStays) {
    for (const bool reset : {false, true}) {
        SmallPlan small(1);
        small.fact("", "frozen", StandardFact::none, false);
        small.plan.temporaries = {{"frozen", small.plan.bound_facts["frozen"]}};
        small.becomes("", "frozen", true);
        small.roll("n1");
        if (reset) {
            small.becomes("", "frozen", false);
        }
        EXPECT_EQ(small.broken(), reset ? "nothing" : "left-behind");
    }
}

TEST(LawsOfWhatHappens, TemporaryFactOfTheWayBackOnly) {
    SmallPlan small(1);
    small.fact("", "frozen", StandardFact::none, false);
    small.plan.temporaries = {
        {"frozen", small.plan.bound_facts["frozen"], model::Temporary::way_back}};
    small.becomes("", "frozen", true);
    EXPECT_EQ(small.broken(), "nothing");
    small.plan.reverts_run = "the run before";
    EXPECT_EQ(small.broken(), "left-behind");
}

TEST(LawsOfWhatHappens, MemberThatStartsByItself) {
    for (const bool restarts : {true, false}) {
        SmallPlan small = all_stopped_first(2);
        small.plan.roles.front().restarts = restarts;
        small.plan.skew.push_back({"node", "node", 0, true, "", {}});
        small.start("n1");
        small.start("n2");
        EXPECT_EQ(small.broken(), restarts ? "skew" : "nothing");
    }
}

// What follows later is found only where such starts are explored: nobody stops n1 again.
TEST(LawsOfWhatHappens, WhatFollowsFromAStartByItself) {
    SmallPlan small(1);
    small.stop("n1");
    model::Condition down;
    down.fact = "running";
    down.role = "node";
    down.quantifier = model::Quantifier::self;
    down.relation = model::Relation::present;
    down.operand = false;
    down.type = model::FactType::release;
    small.install("n1");
    small.plan.actions.back().preconditions = {down};
    small.plan.actions.back().remedy = "";
    small.start("n1");
    EXPECT_EQ(small.broken(), "nothing");
    EXPECT_EQ(small.broken({0, 0, 0, 0, 0, 1}), "stuck");
}

// What a backup promises is seen, so that the copy counts as verified.
model::Condition is_old() {
    model::Condition old;
    old.fact = "running";
    old.role = "node";
    old.quantifier = model::Quantifier::any;
    old.operand = "1.0";
    old.type = model::FactType::release;
    return old;
}

TEST(LawsOfWhatHappens, DestroyedAndRestored) {
    for (const bool restores : {false, true}) {
        SmallPlan small(1);
        small.store(FormatTrigger::never, true);
        small.acts_on_store(Verb::backup, EffectKind::copies).postconditions = {is_old()};
        small.stop("n1");
        small.install("n1");
        small.acts_on_store(Verb::destroy, EffectKind::destroys);
        if (restores) {
            small.acts_on_store(Verb::run, EffectKind::restores);
        }
        small.start("n1");
        EXPECT_EQ(small.broken(), restores ? "nothing" : "unreadable-start, stuck");
    }
}

TEST(LawsOfWhatHappens, RestoreOfAllThatHasACopy) {
    SmallPlan small(1);
    small.store(FormatTrigger::never, false);
    small.acts_on_store(Verb::backup, EffectKind::copies).postconditions = {is_old()};
    small.stop("n1");
    small.install("n1");
    small.acts_on_store(Verb::destroy, EffectKind::destroys);
    small.add(Verb::restore, "n1");
    small.start("n1");
    EXPECT_EQ(small.broken(), "nothing");
}

// It serves again behind the end, on what the step has left: as what is installed.
TEST(LawsOfWhatHappens, MemberThatIsDownForTheTimeOfAStep) {
    for (const bool migrates : {false, true}) {
        SmallPlan small(1);
        small.store(FormatTrigger::on_migrate, true);
        model::Action& step = small.add(Verb::run, "n1");
        step.meanwhile.push_back({EffectKind::becomes, "n1", "running", {}});
        if (migrates) {
            step.effects.push_back({EffectKind::raises, "", "data", {}});
        }
        small.becomes("n1", "ready", true).preconditions = {ready_self()};
        small.plan.actions.back().remedy = "";
        small.roll("n1");
        EXPECT_EQ(small.broken(), migrates ? "unreadable-start, stuck" : "nothing");
    }
}

// It starts and dies while nobody knows whether the step ran. That it never began does not bring
// back what ran before.
TEST(LawsOfWhatHappens, MemberThatStartedSinceIsNotBroughtBack) {
    SmallPlan small(1);
    small.store(FormatTrigger::on_start, false);
    small.install("n1");
    model::Action& step = small.add(Verb::run, "n1");
    step.meanwhile.push_back({EffectKind::becomes, "n1", "running", {}});
    EXPECT_EQ(small.broken({1, 1, 1, 1, 0, 1}), "nothing");
}

TEST(LawsOfWhatHappens, MemberThatIsDownForTheTimeOfAStepLeavesAQuorum) {
    for (const int quorum : {1, 2}) {
        SmallPlan small(2);
        small.plan.kind = "rolling";
        small.plan.roles.front().quorum = quorum;
        small.plan.roles.front().restarts = false;
        for (const char* member : {"n1", "n2"}) {
            model::Action& step = small.add(Verb::run, member);
            step.meanwhile.push_back({EffectKind::becomes, member, "running", {}});
        }
        EXPECT_EQ(small.broken(), quorum == 2 ? "quorum" : "nothing");
    }
}

// The host went down before the process began: the mark is as it was, and tells the probe that the
// migration is done.
TEST(LawsOfWhatHappens, ProbeIsAskedOfAStepThatNeverBegan) {
    for (const bool tells : {false, true}) {
        SmallPlan small(1);
        small.store(FormatTrigger::on_migrate, true).levels = {"level"};
        small.plan.stores.front().laws["2.0"].reads = {"2"};
        small.fact("", "level", StandardFact::level, "1");
        small.fact("", "dirty", StandardFact::none, false);
        small.stop("n1");
        model::Action& migrate = small.acts_on_store(Verb::migrate, EffectKind::raises);
        migrate.member = "n1";
        migrate.repeatable = model::Repeatable::probe;
        migrate.meanwhile.push_back({EffectKind::becomes, "", "dirty", true});
        model::Condition done;
        done.fact = tells ? "level" : "dirty";
        done.quantifier = model::Quantifier::system;
        done.relation = model::Relation::is;
        done.operand = tells ? Json("2") : Json(false);
        migrate.completion_check = {done};
        small.install("n1");
        small.start("n1");
        EXPECT_EQ(small.broken({0, 1, 1, 0, 0}), tells ? "nothing" : "unreadable-start");
    }
}

// What nobody models may say yes though nothing happened.
TEST(LawsOfWhatHappens, ProbeThatNobodyModelsIsWrongOnce) {
    SmallPlan small(1);
    small.store(FormatTrigger::on_migrate, true).laws["2.0"].reads = {"2"};
    small.stop("n1");
    model::Action& migrate = small.acts_on_store(Verb::migrate, EffectKind::raises);
    migrate.repeatable = model::Repeatable::no;
    model::Condition done;
    done.fact = "nobody_knows";
    done.quantifier = model::Quantifier::system;
    done.relation = model::Relation::is;
    done.operand = true;
    migrate.completion_check = {done};
    small.install("n1");
    small.start("n1");
    EXPECT_EQ(small.broken({0, 1, 1, 0, 0}), "nothing");
    EXPECT_EQ(small.broken({1, 1, 1, 0, 0}), "unreadable-start, twice");
}

TEST(LawsOfWhatHappens, HalfDoneMigrationThatIsCutOff) {
    SmallPlan small(1);
    small.store(FormatTrigger::on_migrate, true);
    small.stop("n1");
    small.install("n1");
    model::Action& migrate = small.acts_on_store(Verb::migrate, EffectKind::raises);
    migrate.meanwhile.push_back({EffectKind::destroys, "", "data", {}});
    migrate.optional = true;
    small.start("n1");
    EXPECT_EQ(small.broken(), "nothing");
    EXPECT_EQ(small.broken(k_failure_only), "unreadable-start");
    small.plan.actions[2].attempts = 2;
    EXPECT_EQ(small.broken(k_failure_only), "nothing");
    small.plan.actions[2].attempts = 1;
    small.plan.actions[2].optional = false;
    EXPECT_EQ(small.broken(k_failure_only), "nothing");
}

TEST(LawsOfWhatHappens, MarkThatStaysOnlyWhereItIsCutOff) {
    SmallPlan small(1);
    small.fact("", "dirty", StandardFact::none, false);
    small.plan.temporaries = {{"dirty", small.plan.bound_facts["dirty"]}};
    model::Action& action = small.add(Verb::run, "n1");
    action.meanwhile.push_back({EffectKind::becomes, "", "dirty", true});
    action.optional = true;
    small.roll("n1");
    EXPECT_EQ(small.broken(), "nothing");
    EXPECT_EQ(small.broken(k_failure_only), "left-behind");
    EXPECT_EQ(small.broken({0, 0, 2, 0, 0}), "nothing");
}

// Nobody knows the value that a step leaves open, so that a step that asks it may be skipped. One
// before it is not.
TEST(LawsOfWhatHappens, ConditionOnAValueThatIsOpen) {
    for (const std::size_t touched : {std::size_t{1}, std::size_t{3}}) {
        for (const EffectKind kind : {EffectKind::becomes, EffectKind::changes}) {
            SmallPlan small(1);
            small.fact("", "mode", StandardFact::none, "on");
            small.fact("", "frozen", StandardFact::none, false);
            small.plan.temporaries = {{"frozen", small.plan.bound_facts["frozen"]}};
            small.becomes("", "frozen", true);
            small.becomes("", "mode", "on");
            small.becomes("", "frozen", false);
            small.becomes("", "mode", "on");
            small.plan.actions[touched].effects.front().kind = kind;
            model::Condition on;
            on.fact = "mode";
            on.quantifier = model::Quantifier::system;
            on.relation = model::Relation::is;
            on.operand = "on";
            small.plan.actions[2].applies_if = {on};
            small.roll("n1");
            const bool is_open = touched == 1 && kind == EffectKind::changes;
            EXPECT_EQ(small.broken(k_failure_only), is_open ? "left-behind" : "nothing");
        }
    }
}

TEST(LawsOfWhatHappens, AloneBesideAnother) {
    for (const bool beside : {true, false}) {
        SmallPlan small(2);
        small.store(FormatTrigger::never, true);
        small.add(Verb::migrate, "n1").alone = {"data"};
        small.add(Verb::migrate, "n2").alone = {"data"};
        if (beside) {
            small.plan.actions.back().predecessors.clear();
        }
        small.roll("n1");
        small.roll("n2");
        EXPECT_EQ(small.broken(), beside ? "alone" : "nothing");
    }
}

// A start by itself beside one that the plan asked for.
TEST(LawsOfWhatHappens, StartThatMustBeAlone) {
    for (const bool alone : {true, false}) {
        SmallPlan small(2);
        small.stop("n1");
        small.stop("n2");
        small.install("n1");
        small.install("n2");
        small.store(FormatTrigger::on_start, true).laws["2.0"].alone = alone;
        small.start("n1");
        small.start("n2");
        EXPECT_EQ(small.broken(), alone ? "alone" : "nothing");
        small.plan.roles.front().restarts = false;
        EXPECT_EQ(small.broken(), "nothing");
    }
}

TEST(LawsOfWhatHappens, UncleanStore) {
    SmallPlan small(1);
    small.store(FormatTrigger::never, false).clean_stop = {model::fact_key("n1", "clean")};
    small.fact("n1", "clean", StandardFact::none, false);
    small.roll("n1");
    EXPECT_EQ(small.broken(), "nothing");
    EXPECT_EQ(small.broken(k_death_only), "unreadable-start");
    small.plan.stores.front().clean_stop.clear();
    EXPECT_EQ(small.broken(k_death_only), "nothing");
}

TEST(LawsOfWhatHappens, StaleCopyFirst) {
    for (const bool served : {true, false}) {
        for (const bool newest_first : {true, false}) {
            SmallPlan small = all_stopped_first(2);
            small.plan.roles.front().restarts = false;
            small.store(FormatTrigger::never, false).newest_last_stopped = true;
            small.fact("", "writes", StandardFact::writes, served ? "accepted" : "refused");
            small.start(newest_first ? "n2" : "n1");
            small.start(newest_first ? "n1" : "n2");
            EXPECT_EQ(small.broken(), served && !newest_first ? "lost-writes" : "nothing");
        }
    }
}

TEST(LawsOfWhatHappens, ImageThatReadsTheStore) {
    for (const bool migrated : {true, false}) {
        SmallPlan small = all_stopped_first(1);
        model::PlanStore& store = small.store(FormatTrigger::on_migrate, false);
        store.read_by = "image";
        store.levels = {model::fact_key("n1", "level")};
        store.laws = {{"a1", store.laws["1.0"]}, {"a2", store.laws["2.0"]}};
        store.laws["a2"].reads = {"2"};
        small.fact("n1", "image", StandardFact::none, "a1");
        small.fact("n1", "level", StandardFact::level, "1");
        small.becomes("n1", "image", "a2");
        if (migrated) {
            small.acts_on_store(Verb::migrate, EffectKind::raises);
        }
        small.start("n1");
        EXPECT_EQ(small.broken(), migrated ? "nothing" : "unreadable-start, stuck");
    }
}

}  // namespace
}  // namespace drydock::reference
