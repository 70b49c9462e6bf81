// The laws of members, in the modelled system: who leads, who votes, who may start, and what is
// alone. For each kind a plan that breaks it and one that does not.
#include "sim/small_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::sim {
namespace {

using model::FormatTrigger;
using model::QuorumKind;
using model::StandardFact;
using model::Verb;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* k_unreadable = "unreadable-start";

TEST(LawSim, AnElectionOfOneThatCannotReadIsUnreadable) {
    const SmallPlan small = plan_with_leader();
    QuietSystem quiet(small.plan);
    for (const char* id : {"m2/stop", "m2/install", "m2/start"}) {
        quiet.carry_out(id);
    }
    EXPECT_THAT(quiet.broken(), IsEmpty());  // it does not lead
    quiet.carry_out("m1/stop");
    EXPECT_EQ(quiet.observed("m1/leads"), Json());
    quiet.system.elect("m2");
    EXPECT_EQ(quiet.observed("m2/leads"), Json(true));
    EXPECT_THAT(quiet.broken(), ElementsAre(k_unreadable));
    EXPECT_TRUE(broken_by_seeds(small.plan).contains(k_unreadable));
}

TEST(LawSim, ALeaderRaisesTheFormat) {
    SmallPlan small = plan_with_leader();
    small.plan.stores[0].laws["2.0"].reads = {"1", "2"};
    small.plan.laws[0].trigger = FormatTrigger::on_lead;
    QuietSystem quiet(small.plan);
    for (const char* id : {"m2/stop", "m2/install", "m2/start"}) {
        quiet.carry_out(id);
    }
    quiet.system.fire_laws("data");
    EXPECT_EQ(quiet.observed("data_level"), Json("1"));
    quiet.carry_out("m1/stop");
    quiet.system.elect("m2");
    quiet.system.fire_laws("data");
    EXPECT_EQ(quiet.observed("data_level"), Json("2"));
    EXPECT_THAT(quiet.broken(), IsEmpty());
}

// The last one on the old release cannot start again.
TEST(LawSim, AFormatRisesWhenAllThatRunAreNew) {
    SmallPlan small(2);
    small.store("data", true, FormatTrigger::when_all_running);
    small.roll("m1");
    small.roll("m2");
    QuietSystem quiet(small.plan);
    for (const char* id : {"m1/stop", "m1/install", "m1/start"}) {
        quiet.carry_out(id);
    }
    quiet.system.fire_laws("data");
    EXPECT_EQ(quiet.observed("data_level"), Json("1"));
    quiet.carry_out("m2/stop");
    quiet.system.fire_laws("data");
    EXPECT_EQ(quiet.observed("data_level"), Json("2"));
    quiet.system.start_by_itself("m2");
    EXPECT_EQ(quiet.observed("m2/running"), Json());
    EXPECT_THAT(quiet.broken(), IsEmpty());
}

TEST(LawSim, NobodyIsReadyWhileTooFewRun) {
    SmallPlan small(2);
    small.plan.roles[0].ready_with = 2;
    small.roll("m1");
    QuietSystem quiet(small.plan);
    EXPECT_EQ(quiet.observed("m2/ready"), Json(true));
    quiet.carry_out("m1/stop");
    EXPECT_EQ(quiet.observed("m2/ready"), Json(false));
    EXPECT_EQ(quiet.observed("m1/ready"), Json());
}

// Three members in two racks: a rack is lost as a whole, or not at all.
TEST(LawSim, AQuorumCountsDomains) {
    for (const std::string second : {"m2", "m3"}) {
        SmallPlan small(4);
        small.plan.roles[0].groups = {{.kind = QuorumKind::all_but,
                                       .count = 1,
                                       .members = {"m1", "m2", "m3", "m4"},
                                       .domains = {"r1", "r1", "r2", "r3"}}};
        for (const std::string& name : {std::string("m1"), second}) {
            small.stop(name);
        }
        QuietSystem quiet(small.plan);
        quiet.carry_out("m1/stop");
        EXPECT_THAT(quiet.broken(), IsEmpty());
        quiet.carry_out(second + "/stop");
        EXPECT_EQ(quiet.broken().contains("quorum"), second == "m3");
    }
}

TEST(LawSim, AMemberWithoutAVoteIsNotCounted) {
    for (const bool votes : {true, false}) {
        SmallPlan small(4);
        small.plan.roles[0].groups = {
            {.kind = QuorumKind::majority, .members = {"m1", "m2", "m3", "m4"}}};
        for (const char* name : {"m1", "m2", "m3"}) {
            small.fact(name, "voter", true, StandardFact::voter);
        }
        small.fact("m4", "voter", votes, StandardFact::voter);
        small.stop("m1");
        QuietSystem quiet(small.plan);
        quiet.system.kill("m4");
        quiet.carry_out("m1/stop");
        EXPECT_EQ(quiet.broken().contains("quorum"), votes);
    }
}

// Of three voters two are ready: the vote of one of these must stay, and the last vote at all.
TEST(LawSim, AVoteThatIsTakenAwayMayTakeTheQuorum) {
    for (const QuorumKind kind : {QuorumKind::majority, QuorumKind::all_but}) {
        SmallPlan small(3);
        small.plan.roles[0].groups = {{"", kind, 3, {"m1", "m2", "m3"}, {}}};
        for (const std::string member : {"m1", "m2", "m3"}) {
            small.fact(member, "votes", true, StandardFact::voter);
            small.action(member + "/leave", Verb::run, member).effects = {
                becomes(member, "votes", false)};
        }
        QuietSystem quiet(small.plan);
        quiet.carry_out("m1/leave");
        quiet.carry_out("m2/leave");
        EXPECT_THAT(quiet.broken(), IsEmpty());
        quiet.carry_out("m3/leave");
        EXPECT_THAT(quiet.broken(), ElementsAre("quorum")) << name_of(kind);
    }
}

// A vote that a step lets become absent is taken away, as the check has it.
TEST(LawSim, AVoteThatBecomesAbsentIsTakenAway) {
    for (const Json& vote : {Json(), Json(true)}) {
        SmallPlan small(1);
        small.plan.roles[0].groups = {{"", QuorumKind::majority, 1, {"m1"}, {}}};
        small.fact("m1", "votes", true, StandardFact::voter);
        small.action("leave", Verb::run, "m1").effects = {becomes("m1", "votes", vote)};
        QuietSystem quiet(small.plan);
        quiet.carry_out("leave");
        EXPECT_EQ(quiet.broken().contains("quorum"), vote.is_null());
    }
}

// It is down from the begin on, and starts with the end: on what is installed then.
TEST(LawSim, AMemberThatIsDownMeanwhileStartsWithTheEnd) {
    for (const bool migrates : {false, true}) {
        SmallPlan small(1);
        small.plan.roles[0].quorum = 0;
        small.store("data", true, FormatTrigger::on_migrate);
        model::Action& action = small.action("vacuum", Verb::run, "m1");
        action.meanwhile = {becomes("m1", "running", {})};
        if (migrates) {
            action.effects = {on_store(model::EffectKind::raises, "data")};
        }
        QuietSystem quiet(small.plan);
        quiet.system.begin("vacuum");
        EXPECT_EQ(quiet.observed("m1/running"), Json());
        EXPECT_EQ(quiet.observed("m1/ready"), Json());
        quiet.system.end("vacuum");
        quiet.carry_out("vacuum");
        EXPECT_EQ(quiet.observed("m1/running"), migrates ? Json() : Json("1.0"));
        EXPECT_EQ(quiet.broken().contains("unreadable-start"), migrates);
    }
}

// The host went down before the process began.
TEST(LawSim, WhatHoldsMeanwhileIsTakenBackWhereItNeverBegan) {
    SmallPlan small(1);
    small.plan.roles[0].quorum = 0;
    small.fact("", "dirty", false);
    small.action("vacuum", Verb::run, "m1").meanwhile = {becomes("m1", "running", {}),
                                                         becomes("", "dirty", true)};
    QuietSystem quiet(small.plan);
    quiet.system.begin("vacuum");
    quiet.system.undo_begin("vacuum");
    EXPECT_EQ(quiet.observed("m1/running"), Json("1.0"));
    EXPECT_EQ(quiet.observed("dirty"), Json(false));
    quiet.system.begin("vacuum");
    quiet.system.end("vacuum");  // cut off
    quiet.system.begin("vacuum");
    quiet.system.undo_begin("vacuum");
    EXPECT_EQ(quiet.observed("dirty"), Json(true));
}

TEST(LawSim, TwoThatMustBeAloneAreUnderWayTogether) {
    for (const std::string resource : {"data", "other"}) {
        SmallPlan small(2);
        small.action("one", Verb::migrate, "m1").alone = {"data"};
        small.action("two", Verb::migrate, "m2").alone = {resource};
        QuietSystem quiet(small.plan);
        quiet.system.begin("one");
        quiet.system.begin("two");
        EXPECT_EQ(quiet.broken().contains("alone"), resource == "data");
        quiet.system.end("one");
        quiet.system.begin("two");
        EXPECT_EQ(quiet.system.violations().size(), resource == "data" ? 1U : 0U);
        small.plan.actions[1].predecessors.clear();
        EXPECT_EQ(broken_by_seeds(small.plan).contains("alone"), resource == "data");
    }
}

TEST(LawSim, StartsThatRaiseASharedStoreMustBeAlone) {
    SmallPlan small(2, false);
    model::PlanStore& store = small.store("data", true, FormatTrigger::on_start);
    store.laws["2.0"].alone = true;
    for (const std::string name : {"m1", "m2"}) {
        small.plan.bound_facts[name + "/installed"].value = "2.0";
        small.start(name, "2.0");
    }
    QuietSystem serial(small.plan);
    serial.carry_out("m1/start");
    serial.carry_out("m2/start");
    EXPECT_THAT(serial.broken(), IsEmpty());
    QuietSystem together(small.plan);
    together.system.begin("m1/start");
    together.system.start_by_itself("m2");
    EXPECT_THAT(together.broken(), ElementsAre("alone"));
}

// Releases that may not serve together, if the one that is down comes back by itself.
TEST(LawSim, AMemberThatComesBackByItselfIsJudged) {
    for (const bool restarts : {true, false}) {
        SmallPlan small(2);
        small.plan.roles[0].restarts = restarts;
        small.plan.max_skew = 2;
        small.plan.skew = {{.role = "member", .peer_role = "member", .max_skew = 1}};
        for (const char* name : {"m1", "m2"}) {
            small.stop(name);
        }
        for (const char* name : {"m2", "m1"}) {
            small.action(std::string(name) + "/install", Verb::install, name).effects = {
                becomes(name, "installed", "2.0")};
            small.start(name, "2.0");
        }
        QuietSystem quiet(small.plan);
        for (const char* id : {"m1/stop", "m2/stop", "m2/install", "m2/start"}) {
            quiet.carry_out(id);
        }
        EXPECT_EQ(quiet.system.can_restart(), restarts);
        EXPECT_EQ(quiet.system.restart_one(0), restarts);
        EXPECT_EQ(quiet.broken().contains("skew"), restarts);
    }
}

}  // namespace
}  // namespace drydock::sim
