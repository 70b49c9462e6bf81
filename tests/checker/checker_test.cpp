// The checker on whole plans: packs/etcd, and plans that are broken by hand, one for each property.
#include "checker/plans.h"
#include "planner/ozone_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using testing::HasSubstr;

// Enough to find what is planted.
Options small() {
    Options options;
    options.faults = {1, 1, 1, 1, 0};
    return options;
}

class Etcd : public testing::Test {
protected:
    planner::Fixture site = planner::etcd_site(3);
    model::Plan plan = plan_of(site, "3.4.23", "3.5.21");
};

TEST_F(Etcd, HoldsWithTheDefaultBudgets) {
    Options options;
    options.compile_downgrade = back_of(site, "3.4.23", "3.5.21");
    const Report report = check(plan, options);
    EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
    EXPECT_EQ(report.return_point, plan.point_of_no_return.action);
    EXPECT_EQ(report.note, "");
    EXPECT_GT(report.downgrade_starts, 10U);
    EXPECT_LT(report.bytes, 200U << 20U);
}

TEST(Small, HoldsWithoutSymmetryAndOnOneThread) {
    const auto site = planner::small_site("when-all", 3, "1.0");
    const auto plan = plan_of(site, "1.0", "2.0", "all");
    Options options = small();
    const Report sorted = check(plan, options);
    options.symmetry = false;
    const Report plain = check(plan, options);
    options.threads = 1;
    const Report alone = check(plan, options);
    EXPECT_EQ(sorted.verdict, Verdict::holds) << text(sorted);
    EXPECT_EQ(plain.verdict, Verdict::holds) << text(plain);
    EXPECT_LT(sorted.states, plain.states);
    EXPECT_EQ(sorted.depth, plain.depth);
    EXPECT_EQ(plain.states, alone.states);
    EXPECT_EQ(plain.transitions, alone.transitions);
}

TEST_F(Etcd, AGateThatNamesNoReturnPointIsNoApproval) {
    action_of(plan, "roll/gate").is_point_of_no_return = false;
    const Report by_itself = check(plan, small());
    EXPECT_EQ(broken(by_itself), "unasked-return-point") << text(by_itself);
    EXPECT_THAT(by_itself.violations[0].because, HasSubstr("m3 starts by itself"));
    plan.roles.front().restarts = false;
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "unasked-return-point") << text(report);
    EXPECT_EQ(report.violations[0].action, "roll/m3/start");
    EXPECT_THAT(report.violations[0].source, HasSubstr("upgrade.yaml:"));
}

TEST_F(Etcd, ABackupThatIsNotProvedIsNone) {
    action_of(plan, "backup/m1/snapshot").postconditions.clear();
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "unverified-destroy") << text(report);
}

TEST_F(Etcd, NoBackupAtAll) {
    drop(plan, "backup/m1/snapshot");
    EXPECT_EQ(broken(check(plan, small())), "unverified-destroy");
}

TEST_F(Etcd, StopsSideBySideTakeTheQuorum) {
    action_of(plan, "roll/m2/transfer").predecessors =
        action_of(plan, "roll/m1/transfer").predecessors;
    const Report guarded = check(plan, small());
    EXPECT_EQ(broken(guarded), "quorum") << text(guarded);
    action_of(plan, "roll/m1/stop").preconditions.clear();
    action_of(plan, "roll/m2/stop").preconditions.clear();
    EXPECT_EQ(broken(check(plan, small())), "quorum");
}

TEST_F(Etcd, AStopThatLooksAtNobodyTakesTheQuorumWhenOneDied) {
    action_of(plan, "roll/m2/stop").preconditions.clear();
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "quorum") << text(report);
    EXPECT_EQ(report.violations[0].action, "roll/m2/stop");
    Options calm = small();
    calm.faults.member = 0;
    EXPECT_EQ(broken(check(plan, calm)), "nothing");
}

TEST_F(Etcd, ASwitchThatIsLeftOutNeverEnds) {
    drop(plan, "roll/m2/install");
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "stuck") << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("even if nothing fails"));
}

TEST_F(Etcd, WhatTheDowngradeRefusesIsNoWayBack) {
    Options options = small();
    options.compile_downgrade = [](const model::FactBook&) -> Result<model::Plan> {
        return fail("plan.closed", "the pack says no");
    };
    const Report report = check(plan, options);
    EXPECT_EQ(broken(report), "no-way-back") << text(report);
    EXPECT_THAT(report.violations[0].because, HasSubstr("the pack says no"));
}

TEST(Ozone, HoldsWithSmallBudgets) {
    const auto site = planner::ozone_fixture(planner::k_ozone_own);
    const auto plan = plan_of(site, planner::k_ozone_own, "2.2.1");
    Options options;
    options.faults = {1, 0, 1, 0, 0};
    options.compile_downgrade = back_of(site, planner::k_ozone_own, "2.2.1");
    const Report report = check(plan, options);
    EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
    EXPECT_EQ(report.return_point, plan.point_of_no_return.action);
    EXPECT_GT(report.downgrade_starts, 10U);
    std::printf("%s", text(report).c_str());
}

// All run 3.5, the level has not risen yet: the way down may be closed at any moment.
TEST(EtcdDowngrade, LooksAtTheLevelBeforeEachStart) {
    planner::Fixture site = planner::etcd_site(3, "3.5.21");
    site.set("", "level", "3.4.0");
    for (const char* member : {"m1", "m2", "m3"}) {
        site.set(member, "cluster_version", "3.4.0");
    }
    model::Plan plan = plan_of(site, "3.5.21", "3.4.23", "downgrade");
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "nothing") << text(report);
    for (model::Action& action : plan.actions) {
        std::erase_if(action.preconditions, [](const auto& one) { return one.fact == "level"; });
    }
    const Report blind = check(plan, small());
    EXPECT_THAT(broken(blind), HasSubstr("unreadable-start")) << text(blind);
}

TEST(EtcdDowngrade, IsHeldDownByEtcdsOwnCall) {
    const auto site = planner::etcd_site(3, "3.6.1");
    const Report down = check(plan_of(site, "3.6.1", "3.5.21", "downgrade"), small());
    EXPECT_EQ(broken(down), "nothing") << text(down);
    const auto before = planner::etcd_site(3, "3.5.21");
    Options options = small();
    options.compile_downgrade = back_of(before, "3.5.21", "3.6.1");
    const Report up = check(plan_of(before, "3.5.21", "3.6.1"), options);
    EXPECT_EQ(broken(up), "nothing") << text(up);
}

TEST(EtcdDowngrade, ARestoreIsNoDowngrade) {
    planner::Fixture site = planner::etcd_site(3, "3.5.21");
    site.set("", "level", "3.4.0");
    model::Plan plan = plan_of(site, "3.5.21", "3.4.23", "downgrade");
    action_of(plan, "roll-back/m2/install").verb = model::Verb::restore;
    EXPECT_EQ(broken(check(plan, small())), "lost-writes");
    plan.procedure = "restore";
    EXPECT_EQ(broken(check(plan, small())), "nothing") << text(check(plan, small()));
}

// However many attempts it has: the run repeats it only if a probe says that it did not happen.
TEST(Small, WhatMayNotBeRepeatedHappensTwiceOnlyIfItsProbeLies) {
    const auto site = planner::small_site("finalize", 2, "1.0");
    model::Plan plan = plan_of(site, "1.0", "2.0");
    action_of(plan, "finalize/m1/convert").repeatable = model::Repeatable::no;
    EXPECT_EQ(broken(check(plan, small())), "stuck");  // nobody tells whether to repeat it
    action_of(plan, "finalize/m1/convert").remedy = "look at the level";
    EXPECT_EQ(broken(check(plan, small())), "nothing") << text(check(plan, small()));
    action_of(plan, "finalize/m1/convert").attempts = 2;
    EXPECT_EQ(broken(check(plan, small())), "nothing") << text(check(plan, small()));
    action_of(plan, "finalize/m1/convert").completion_check = {
        {.fact = "running",
         .role = "node",
         .quantifier = model::Quantifier::self,
         .operand = "9.9.9",
         .type = model::FactType::release}};
    const Report report = check(plan, small());
    EXPECT_EQ(broken(report), "twice") << text(report);
}

TEST(Small, AnEndIsNoneWhereSomebodyIsLeftBehind) {
    const auto site = planner::small_site("finalize", 2, "1.0");
    model::Plan plan = plan_of(site, "1.0", "2.0");
    action_of(plan, "roll/m2/install").postconditions.clear();
    action_of(plan, "roll/m2/start").postconditions.clear();
    drop(plan, "roll/m2/install");
    const Report report = check(plan, small());
    ASSERT_EQ(broken(report), "unreadable-start stuck") << text(report);  // m2 runs 1.0 on format 2
    EXPECT_THAT(report.violations[1].because, HasSubstr("m2 does not run 2.0"));
}

TEST(Small, ReleasesThatMayNotServeTogether) {
    const auto site = planner::small_site("when-all", 3, "1.0");
    model::Plan plan = plan_of(site, "1.0", "2.0", "serial");
    plan.skew.push_back({"node", "node", 0, true, "the test", {}});
    EXPECT_EQ(broken(check(plan, small())), "skew");
    plan.skew.front().max_skew = 1;
    EXPECT_EQ(broken(check(plan, small())), "nothing");
    plan.skew.front().newer = false;
    EXPECT_EQ(broken(check(plan, small())), "skew");
}

}  // namespace
}  // namespace drydock::checker
