// What must be so when a plan has ended: what it switched is as before, on ways back as well, and
// who is down has retired.
#include "checker/law_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using model::StandardFact;
using model::Verb;
using testing::HasSubstr;

constexpr Faults k_calm = {0, 0, 0, 0, 0};

LawPlan switched(bool switches_back) {
    LawPlan law(1);
    law.fact("", "noout", false);
    law.plan.temporaries = {{"noout", law.plan.bound_facts.at("noout"), model::Temporary::always}};
    law.act("set noout", Verb::run, "m1").effects = {becomes("", "noout", true)};
    law.roll("m1");
    if (switches_back) {
        law.act("unset noout", Verb::run, "m1").effects = {becomes("", "noout", false)};
    }
    return law;
}

// The plan before it has switched the fact, and no step of this one does anything about it.
TEST(LeftBehind, AWayBackAnswersForWhatItsStepsDoNotName) {
    for (const bool switched : {true, false}) {
        LawPlan law(1);
        law.fact("", "noout", switched);
        law.plan.temporaries = {{"noout",
                                 {model::ObservationStatus::known, Json(false), "", 0},
                                 model::Temporary::way_back}};
        law.roll("m1");
        law.plan.reverts_run = "r0";
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), switched ? "left-behind" : "nothing") << text(report);
    }
}

TEST(LeftBehind, WhatIsSwitchedMustBeSwitchedBack) {
    const Report left = check_law(switched(false).plan);
    EXPECT_EQ(broken(left), "left-behind") << text(left);
    EXPECT_THAT(left.violations[0].because, HasSubstr("noout is true"));
    const Report back = check_law(switched(true).plan);
    EXPECT_EQ(broken(back), "nothing") << text(back);
}

TEST(LeftBehind, OnlyAWayBackRestoresWhatTheUpgradeSwitchedForGood) {
    LawPlan law = switched(false);
    law.plan.temporaries.front().temporary = model::Temporary::way_back;
    EXPECT_EQ(broken(check_law(law.plan)), "nothing");
    law.plan.reverts_run = "r0";
    EXPECT_EQ(broken(check_law(law.plan)), "left-behind");
}

// The way back from any state: m1 on 1.0 again, and noout unset or not.
CompileDowngrade way_back(bool switches_back) {
    return [switches_back](const model::FactBook& facts) -> Result<model::Plan> {
        LawPlan law(1);
        law.fact("", "noout", false);
        law.stop("m1");
        law.install("m1").effects = {becomes("m1", "installed", "1.0")};
        law.start("m1").effects = {becomes("m1", "running", "1.0"), becomes("m1", "ready", true)};
        if (switches_back) {
            law.act("unset noout", Verb::run, "m1").effects = {becomes("", "noout", false)};
        }
        law.plan.procedure = "downgrade";
        law.plan.from_version = "2.0";
        law.plan.to_version = "1.0";
        law.plan.bound_facts = facts;
        return law.plan;
    };
}

TEST(LeftBehind, AWayBackThatLeavesItIsNone) {
    const LawPlan law = switched(true);
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = way_back(false);
    const Report left = check(law.plan, options);
    EXPECT_EQ(broken(left), "no-way-back") << text(left);
    options.compile_downgrade = way_back(true);
    const Report back = check(law.plan, options);
    EXPECT_EQ(broken(back), "nothing") << text(back);
}

// What the way back leaves switched is its fault, and no point of no return.
TEST(LeftBehind, AWayBackThatLeavesItClosesNothing) {
    LawPlan law = switched(false);
    law.plan.temporaries.front().temporary = model::Temporary::way_back;
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = way_back(false);
    const Report left = check(law.plan, options);
    EXPECT_EQ(broken(left), "no-way-back") << text(left);
    EXPECT_THAT(left.violations[0].because, HasSubstr("left-behind"));
    EXPECT_EQ(left.return_point, "");
    EXPECT_FALSE(left.return_point_hint);
}

// One that cannot go on is none, and closes the way back where it begins to.
TEST(LeftBehind, AWayBackThatHaltsCloses) {
    LawPlan law = switched(false);
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = [](const model::FactBook& facts) -> Result<model::Plan> {
        auto plan = way_back(false)(facts);
        plan->actions.front().preconditions = {is("noout", false, false)};
        return plan;
    };
    const Report halted = check(law.plan, options);
    EXPECT_EQ(halted.return_point, "set noout") << text(halted);
}

// Behind the approval, and before the action that closes the way back, `downgrade` is open: what
// halts there needs it. Here a mark stands in its way, which the plan takes away again before it
// closes.
LawPlan marked(bool leaves_mark, int marks_from) {
    LawPlan law(1);
    law.fact("", "noout", false);
    const auto gate = [&](int place) {
        if (place == marks_from) {
            law.gate();
        }
    };
    law.roll("m1");
    gate(0);
    law.act("set noout", Verb::run, "m1").effects = {becomes("", "noout", leaves_mark)};
    gate(1);
    law.act("unset noout", Verb::run, "m1").effects = {becomes("", "noout", false)};
    gate(2);
    law.fact("", "sealed", false);
    law.act("seal", Verb::run, "m1").effects = {becomes("", "sealed", true)};
    law.plan.point_of_no_return = {.exists = true, .action = "seal", .gate = "return"};
    return law;
}

// The way back from any state: it is refused where the data is sealed, or the mark is set.
Result<model::Plan> way_back_unmarked(const model::FactBook& facts) {
    auto plan = way_back(false)(facts);
    plan->actions.front().preconditions = {is("noout", false, false), is("sealed", false, false)};
    return plan;
}

TEST(WaysBack, AreAskedUntilTheActionThatClosesThem) {
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = way_back_unmarked;
    for (const int place : {0, 1, 2}) {
        const Report marked_report = check(marked(true, place).plan, options);
        EXPECT_EQ(broken(marked_report), "no-way-back") << place << text(marked_report);
        EXPECT_EQ(marked_report.violations[0].because.find("and not passed") != std::string::npos,
                  place == 0)
            << marked_report.violations[0].because;
        const Report plain = check(marked(false, place).plan, options);
        EXPECT_EQ(broken(plain), "nothing") << place << text(plain);
        EXPECT_EQ(plain.return_point, "seal");
    }
}

// Either of two that go beside each other may be the first: plan and check name the same one.
TEST(WaysBack, CloseWithTheMemberThatThePlanNames) {
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = way_back_unmarked;
    for (const char* planned : {"seal m1", "seal m2"}) {
        LawPlan law(2);
        law.fact("", "noout", false);
        law.fact("", "sealed", false);
        law.roll("m1");
        law.roll("m2");
        law.gate();
        for (const char* member : {"m1", "m2"}) {
            model::Action& seal = law.act(std::string("seal ") + member, Verb::run, member);
            seal.effects = {becomes("", "sealed", true)};
            seal.source = "upgrade.yaml:7:9";
        }
        LawPlan::beside(law.plan);
        law.plan.point_of_no_return = {.exists = true, .action = planned, .gate = "return"};
        law.plan.point_of_no_return.further_actions = {"seal m1", "seal m2"};
        const Report report = check(law.plan, options);
        EXPECT_EQ(broken(report), "nothing") << text(report);
        EXPECT_EQ(report.return_point, planned);
        EXPECT_EQ(report.note, "");
    }
}

// Whatever becomes of the action that closes the way back: once it has begun, nothing is asked.
TEST(WaysBack, AreNotAskedBehindAFailedAttemptToCloseThem) {
    LawPlan law = marked(false, 2);
    law.plan.actions.back().attempts = 1;
    Options options;
    options.faults = {2, 1, 1, 0, 0};
    options.compile_downgrade = way_back_unmarked;
    const Report report = check(law.plan, options);
    EXPECT_EQ(broken(report), "nothing") << text(report);
}

// What nothing models is answered both ways for the person; the report says on what that hangs.
TEST(WaysBack, HangOnFactsWithoutALaw) {
    const LawPlan law = switched(true);
    Options options;
    options.faults = {1, 0, 0, 0, 0};
    options.compile_downgrade = way_back(true);
    EXPECT_THAT(check(law.plan, options).hangs_on, testing::IsEmpty());
    options.compile_downgrade = [](const model::FactBook& facts) -> Result<model::Plan> {
        auto plan = way_back(true)(facts);
        plan->actions.front().preconditions = {is("epoch_lead", true, false)};
        return plan;
    };
    const Report report = check(law.plan, options);
    EXPECT_EQ(broken(report), "nothing") << text(report);
    EXPECT_THAT(report.hangs_on, testing::ElementsAre("epoch_lead"));
}

TEST(Retired, WhoDoesNotVoteAnyMoreMayBeDownAtTheEnd) {
    for (const bool leaves : {true, false}) {
        LawPlan law(2);
        law.plan.kind = "rolling";
        for (const char* member : {"m1", "m2"}) {
            law.fact(member, "voter", true, StandardFact::voter);
        }
        law.roll("m2");
        if (leaves) {
            law.act("leave", Verb::run, "m1").effects = {becomes("m1", "voter", false)};
        }
        law.stop("m1");
        const Report report = check_law(law.plan, k_calm);
        EXPECT_EQ(broken(report), leaves ? "nothing" : "stuck") << text(report);
    }
}

// Somebody who voted must be left, in procedures of any kind but a change of sides.
TEST(Retired, SomebodyStillVotesAtTheEnd) {
    for (const char* kind : {"offline", "side-by-side"}) {
        LawPlan law(2);
        law.plan.kind = kind;
        for (const std::string member : {"m1", "m2"}) {
            law.fact(member, "voter", true, StandardFact::voter);
            law.act("retire " + member, Verb::run, member).effects = {
                becomes(member, "voter", false)};
            law.stop(member);
        }
        const Report report = check_law(law.plan);
        const bool is_offline = std::string(kind) == "offline";
        EXPECT_EQ(broken(report), is_offline ? "stuck" : "nothing") << text(report);
        if (is_offline) {
            EXPECT_THAT(report.violations[0].because, HasSubstr("at its end no db votes"));
        }
    }
}

// Who votes no more, and runs, still has to run the new release.
TEST(Retired, WhoRunsOnTheOldReleaseHasNotRetired) {
    LawPlan law(2);
    law.fact("m1", "voter", true, StandardFact::voter);
    law.act("leave", Verb::run, "m1").effects = {becomes("m1", "voter", false)};
    law.stop("m1");
    law.start("m1");
    const Report report = check_law(law.plan, k_calm);
    EXPECT_EQ(broken(report), "stuck") << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("m1 does not run 2.0"));
}

}  // namespace
}  // namespace drydock::checker
