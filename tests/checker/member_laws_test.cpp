// Laws of members: each kind with a plan that breaks it and a plan that keeps it.
#include "checker/law_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using model::EffectKind;
using model::FormatTrigger;
using model::QuorumKind;
using model::StandardFact;
using model::Verb;
using testing::HasSubstr;

constexpr Faults k_calm = {0, 0, 0, 0, 0};

LawPlan swapped(int quorum) {
    LawPlan law(2);
    law.plan.roles.front().quorum = quorum;
    for (const std::string member : {"m1", "m2"}) {
        law.act("swap " + member, Verb::run, member).effects = {becomes(member, "installed", "2.0"),
                                                                becomes(member, "running", "2.0")};
    }
    return law;
}

TEST(OneWay, AStepThatRunsAnotherReleaseTakesTheMemberDown) {
    const Report two = check_law(swapped(2).plan);
    EXPECT_EQ(broken(two), "quorum") << text(two);
    const Report one = check_law(swapped(1).plan);
    EXPECT_EQ(broken(one), "nothing") << text(one);
}

TEST(OneWay, WhatComesUpIsJudgedAsAStart) {
    LawPlan law = swapped(0);
    auto& store = law.store(false, FormatTrigger::never);
    EXPECT_EQ(broken(check_law(law.plan)), "nothing");
    store.laws["2.0"].reads = {"2"};
    const Report report = check_law(law.plan);
    EXPECT_THAT(broken(report), HasSubstr("unreadable-start")) << text(report);
}

TEST(Quorum, SaysThatOneCommandTakesSeveralDown) {
    LawPlan law(3);
    law.plan.roles.front().quorum = 2;
    law.act("stop the host", Verb::run, "m1").effects = {becomes("m1", "running", {}),
                                                         becomes("m2", "running", {})};
    const Report report = check_law(law.plan);
    ASSERT_THAT(broken(report), HasSubstr("quorum")) << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("2 members down together (m1, m2)"));
}

// A condition on any member of a role does not hold while all are stopped.
TEST(Stories, SayWhyAStepIsSkipped) {
    LawPlan law(1);
    law.fact("", "noout", false);
    law.plan.temporaries = {{"noout", law.plan.bound_facts.at("noout"), model::Temporary::always}};
    law.act("set noout", Verb::run, "m1").effects = {becomes("", "noout", true)};
    law.stop("m1");
    auto& unset = law.act("unset noout", Verb::run, "m1");
    unset.effects = {becomes("", "noout", false)};
    unset.applies_if = {is("ready", true)};
    unset.applies_if.front().quantifier = model::Quantifier::any;
    law.install("m1");
    law.start("m1");
    const Report report = check_law(law.plan);
    EXPECT_EQ(broken(report), "left-behind") << text(report);
    EXPECT_THAT(text(report), HasSubstr("\"unset noout\" is skipped, because"));
    EXPECT_THAT(text(report), HasSubstr("no member is up that could say so"));
}

LawPlan alone(bool side_by_side) {
    LawPlan law(2);
    law.act("migrate a", Verb::migrate, "m1").alone = {"data"};
    law.act("migrate b", Verb::migrate, "m2").alone = {"data"};
    if (side_by_side) {
        LawPlan::beside(law.plan);
    }
    return law;
}

TEST(Alone, TwoAtTheSameTime) {
    const Report beside = check_law(alone(true).plan);
    EXPECT_EQ(broken(beside), "alone") << text(beside);
    const Report serial = check_law(alone(false).plan);
    EXPECT_EQ(broken(serial), "nothing") << text(serial);
    LawPlan others = alone(true);
    others.plan.actions.back().alone = {"other"};
    EXPECT_EQ(broken(check_law(others.plan)), "nothing");
}

// All are stopped; the gate stands before what a member could start by itself.
LawPlan converts_alone(bool restarts) {
    LawPlan law(2);
    law.store(true, FormatTrigger::on_start).laws["2.0"].alone = true;
    law.plan.roles.front().restarts = restarts;
    law.gate();
    law.stop("m1");
    law.stop("m2");
    law.install("m1");
    law.install("m2");
    law.start("m1");
    law.start("m2");
    return law;
}

TEST(Alone, AStartThatConvertsMeetsNoOther) {
    const Report serial = check_law(converts_alone(false).plan);
    EXPECT_EQ(broken(serial), "nothing") << text(serial);
    LawPlan law = converts_alone(false);
    LawPlan::beside(law.plan);
    EXPECT_EQ(broken(check_law(law.plan)), "alone");
    const Report by_itself = check_law(converts_alone(true).plan);
    EXPECT_EQ(broken(by_itself), "alone") << text(by_itself);
    EXPECT_THAT(by_itself.violations[0].because, HasSubstr("m2 starts by itself"));
}

LawPlan gated(bool gate_first, bool restarts = true) {
    LawPlan law(1);
    law.store(false, FormatTrigger::on_start);
    law.plan.roles.front().restarts = restarts;
    law.stop("m1");
    if (gate_first) {
        law.gate();
    }
    law.install("m1");
    if (!gate_first) {
        law.gate();
    }
    law.start("m1");
    return law;
}

TEST(Restarts, AMemberThatIsDownMayPassTheGateByItself) {
    const Report late = check_law(gated(false).plan);
    EXPECT_EQ(broken(late), "unasked-return-point") << text(late);
    EXPECT_THAT(text(late), HasSubstr("m1 starts by itself"));
    const Report early = check_law(gated(true).plan);
    EXPECT_EQ(broken(early), "nothing") << text(early);
    EXPECT_EQ(broken(check_law(gated(false, false).plan)), "nothing");
}

// A member that runs, and would come back with another release, is a danger as well.
TEST(Restarts, ADeathAfterAnInstallBringsUpTheNewRelease) {
    LawPlan law(1);
    law.store(false, FormatTrigger::on_start);
    law.install("m1");
    law.gate();
    law.stop("m1");
    law.start("m1");
    const Report report = check_law(law.plan, {0, 0, 0, 1, 0});
    EXPECT_EQ(broken(report), "unasked-return-point") << text(report);
}

// What follows later from such a start is seen only with a budget.
TEST(Restarts, AreFollowedWithABudget) {
    LawPlan law(1);
    law.store(false, FormatTrigger::on_migrate);
    law.gate();
    law.stop("m1");
    law.act("migrate", Verb::migrate, "m1").effects = {on_store(EffectKind::raises, "m1")};
    law.install("m1");
    law.start("m1");
    EXPECT_EQ(broken(check_law(law.plan, k_calm)), "nothing");
    Faults faults = k_calm;
    faults.restart = 1;
    const Report report = check_law(law.plan, faults);
    EXPECT_EQ(broken(report), "unreadable-start") << text(report);
    EXPECT_EQ(report.violations[0].action, "migrate");
}

LawPlan racks(bool serial) {
    LawPlan law(4);
    law.plan.roles.front().groups = {{.name = "",
                                      .kind = QuorumKind::all_but,
                                      .count = 1,
                                      .members = {"m1", "m2", "m3", "m4"},
                                      .domains = {"r1", "r1", "r2", "r2"}}};
    if (serial) {
        for (const char* member : {"m1", "m2", "m3", "m4"}) {
            law.roll(member);
        }
        return law;
    }
    law.stop("m1");
    law.stop("m3");
    law.install("m1");
    law.install("m3");
    law.start("m1");
    law.start("m3");
    return law;
}

TEST(Groups, MembersOfOneRackOnly) {
    const Report across = check_law(racks(false).plan);
    EXPECT_EQ(broken(across), "quorum") << text(across);
    EXPECT_EQ(across.violations[0].action, "stop m3");
    const Report serial = check_law(racks(true).plan);
    EXPECT_EQ(broken(serial), "nothing") << text(serial);
}

TEST(Groups, OnlyVotersCount) {
    for (const bool votes : {true, false}) {
        LawPlan law(3);
        law.plan.roles.front().groups = {{.name = "",
                                          .kind = QuorumKind::majority,
                                          .count = 0,
                                          .members = {"m1", "m2", "m3"},
                                          .domains = {}}};
        for (const char* member : {"m1", "m2", "m3"}) {
            law.fact(member, "voter", votes || member != std::string("m3"), StandardFact::voter);
        }
        law.roll("m1");
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), votes ? "nothing" : "quorum") << text(report);
    }
}

// m1, m2 and m3 vote, and a majority of them must be ready.
LawPlan with_voters() {
    LawPlan law(3);
    law.plan.roles.front().groups = {{.name = "",
                                      .kind = QuorumKind::majority,
                                      .count = 0,
                                      .members = {"m1", "m2", "m3"},
                                      .domains = {}}};
    for (const char* member : {"m1", "m2", "m3"}) {
        law.fact(member, "voter", true, StandardFact::voter);
    }
    return law;
}

void take_vote(LawPlan& law, const std::string& member) {
    law.act("retire " + member, Verb::run, member).effects = {becomes(member, "voter", false)};
}

// With two of three down the group is short already. Who takes the vote of the third is to blame
// all the same: only the dead would decide.
TEST(Groups, TheLastVoteOfOneWhoIsUpMayNotGo) {
    for (const char* member : {"m1", "m3"}) {
        LawPlan law = with_voters();
        law.down("m1");
        law.down("m2");
        take_vote(law, member);
        const Report report = check_law(law.plan, k_calm);
        EXPECT_EQ(broken(report).find("quorum") != std::string::npos, member == std::string("m3"))
            << text(report);
    }
}

// While m1 has no vote, m2 and m3 decide, and none of them may go.
TEST(Groups, AVoteThatIsAwayForAWhileMayTakeTheQuorum) {
    for (const bool beside : {true, false}) {
        LawPlan law = with_voters();
        law.act("reseed m1", Verb::run, "m1").meanwhile = {becomes("m1", "voter", false)};
        law.stop("m2");
        if (beside) {
            LawPlan::beside(law.plan);
        }
        law.install("m2");
        law.start("m2");
        const Report report = check_law(law.plan, {0, 0, 0, 0, 0});
        EXPECT_EQ(broken(report), beside ? "quorum" : "nothing") << text(report);
    }
}

// With m3 down, two of three are ready; of the two that are left, one.
TEST(Groups, AVoteThatIsTakenAwayMayTakeTheQuorum) {
    for (const bool is_down : {true, false}) {
        LawPlan law = with_voters();
        if (is_down) {
            law.down("m3");
        }
        take_vote(law, "m1");
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_down ? "quorum" : "nothing") << text(report);
        law.plan.kind = "offline";
        EXPECT_EQ(broken(check_law(law.plan)), "nothing");
    }
}

// Each leaves three voters of which two are ready; both leave two, of which one is.
TEST(Groups, VotesThatAreTakenSideBySideCountTogether) {
    for (const bool is_beside : {true, false}) {
        LawPlan law = with_voters();
        law.plan.roles.front().groups.front().kind = QuorumKind::at_least;
        law.plan.roles.front().groups.front().count = 1;
        law.down("m3");
        law.plan.bound_facts["m3/voter"].value = false;
        take_vote(law, "m1");
        law.act("return m1", Verb::run, "m1").effects = {becomes("m1", "voter", true)};
        take_vote(law, "m2");
        if (is_beside) {
            law.plan.actions.back().predecessors.clear();
        }
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), is_beside ? "quorum" : "nothing") << text(report);
    }
}

TEST(Groups, TheLastVoteIsTheQuorumOfAnyKind) {
    for (const QuorumKind kind :
         {QuorumKind::majority, QuorumKind::at_least, QuorumKind::all_but}) {
        LawPlan law = with_voters();
        law.plan.roles.front().groups.front().kind = kind;
        law.plan.roles.front().groups.front().count = kind == QuorumKind::at_least ? 1 : 3;
        take_vote(law, "m1");
        take_vote(law, "m2");
        EXPECT_EQ(broken(check_law(law.plan)), "nothing") << name_of(kind);
        take_vote(law, "m3");
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), "quorum stuck") << text(report);
        EXPECT_EQ(report.violations[0].action, "retire m3");
    }
}

TEST(ReadyWith, ASerialStartAfterAFullStopNeverEnds) {
    for (const bool serial : {true, false}) {
        LawPlan law(2);
        law.plan.roles.front().ready_with = 2;
        law.stop("m1");
        law.stop("m2");
        law.install("m1");
        law.install("m2");
        for (const char* member : {"m1", "m2"}) {
            auto& start = law.start(member);
            start.postconditions = {is("ready", true)};
            start.remedy.clear();
        }
        if (!serial) {
            LawPlan::beside(law.plan);
        }
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), serial ? "stuck" : "nothing") << text(report);
    }
}

// The old leader stops, and the new release may take over before all run it.
LawPlan led(bool old_reads_both) {
    LawPlan law(3);
    auto& store = law.store(true, FormatTrigger::on_lead);
    if (old_reads_both) {
        store.laws["1.0"].reads = {"1", "2"};
    }
    for (const char* member : {"m1", "m2", "m3"}) {
        law.fact(member, "leader", member == std::string("m3"), StandardFact::leads);
    }
    law.gate();
    law.roll("m1");
    law.roll("m3");
    law.roll("m2");
    return law;
}

TEST(Leaders, ALawFiresWhenTheNewReleaseLeads) {
    const Report early = check_law(led(false).plan);
    EXPECT_EQ(broken(early), "unreadable-start") << text(early);
    EXPECT_THAT(text(early), HasSubstr("m1 comes to lead"));
    const Report both = check_law(led(true).plan);
    EXPECT_EQ(broken(both), "nothing") << text(both);
}

TEST(Leaders, AnElectionBringsAnOldOneToAStoreThatItCannotRead) {
    LawPlan law = led(false);
    law.plan.stores.front().leader_only = true;
    const Report report = check_law(law.plan, {0, 0, 0, 1, 0});
    EXPECT_EQ(broken(report), "unreadable-start") << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("m2 comes to lead"));
}

// As where a start is told as failed, has had its effect, and is tried again.
TEST(Leaders, AStartOfOneThatRunsKeepsTheLead) {
    for (const Verb again : {Verb::start, Verb::restart}) {
        LawPlan law(2);
        law.store(true, FormatTrigger::on_lead).leader_only = true;
        law.fact("m1", "leader", false, StandardFact::leads);
        law.fact("m2", "leader", true, StandardFact::leads);
        law.gate();
        law.roll("m1");
        law.act("hand over", Verb::run, "m1").effects = {becomes("m1", "leader", true)};
        law.start("m1").verb = again;
        law.plan.actions.back().id = "again";
        law.roll("m2");
        const Report report = check_law(law.plan, k_calm);
        EXPECT_EQ(broken(report), again == Verb::start ? "nothing" : "unreadable-start")
            << text(report);
    }
}

TEST(WhenAllRunning, TheLastOldOneCannotStartAgain) {
    for (const bool installs : {true, false}) {
        LawPlan law(2);
        law.store(true, FormatTrigger::when_all_running);
        law.gate();
        law.stop("m1");
        law.stop("m2");
        law.install("m1");
        law.start("m1");
        if (installs) {
            law.install("m2");
        }
        law.start("m2");
        const Report report = check_law(law.plan);
        EXPECT_THAT(broken(report), installs ? HasSubstr("nothing") : HasSubstr("unreadable-start"))
            << text(report);
    }
}

}  // namespace
}  // namespace drydock::checker
