// Plans of clusters that were half-way when they were made: their ways back are asked as well, from
// the plan's first world on.
#include "checker/plans.h"
#include "planner/ozone_fixture.h"

#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using planner::Fixture;

Report check_both_ways(const Fixture& site,
                       const std::string& from,
                       const std::string& to,
                       Options options = {}) {
    options.faults = {1, 0, 1, 0, 0};
    options.compile_downgrade = back_of(site, from, to);
    return check(plan_of(site, from, to), options);
}

class HalfWayEtcd : public testing::Test {
protected:
    void expect_open() {
        const Report report = check_both_ways(site, "3.4.23", "3.5.21");
        EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
        EXPECT_EQ(report.note, "");
        EXPECT_GT(report.downgrade_starts, 5U);
    }

    Fixture site = planner::etcd_site(3);
};

TEST_F(HalfWayEtcd, OneIsDone) {
    planner::install(site, "m1", "3.5.21");
    planner::start(site, "m1", "3.5.21");
    expect_open();
}

// Who was done before the plan may die, too; whoever leads.
TEST_F(HalfWayEtcd, OneIsDoneAndDies) {
    for (const int leader : {1, 2, 3}) {
        site = planner::etcd_site(3, "3.4.23", leader);
        planner::install(site, "m2", "3.5.21");
        planner::start(site, "m2", "3.5.21");
        Options options;
        options.faults = {1, 1, 1, 1, 0};
        options.compile_downgrade = back_of(site, "3.4.23", "3.5.21");
        const Report report = check(plan_of(site, "3.4.23", "3.5.21"), options);
        EXPECT_EQ(report.verdict, Verdict::holds) << "leader m" << leader << text(report);
    }
}

TEST_F(HalfWayEtcd, OneIsStopped) {
    planner::stop(site, "m1");
    expect_open();
}

TEST_F(HalfWayEtcd, OneIsSwapped) {
    planner::stop(site, "m1");
    planner::install(site, "m1", "3.5.21");
    expect_open();
}

TEST_F(HalfWayEtcd, TwoAreDone) {
    for (const char* member : {"m1", "m2"}) {
        planner::install(site, member, "3.5.21");
        planner::start(site, member, "3.5.21");
    }
    const Report report = check_both_ways(site, "3.4.23", "3.5.21");
    EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
    EXPECT_EQ(report.return_point, "roll/m3/start");
}

class HalfWayOzone : public testing::Test {
protected:
    void prepare() {
        for (const std::string& member : planner::members_of(site, "om")) {
            site.set(member, "writes", "refused");
        }
    }

    void expect_open() {
        const Report report = check_both_ways(site, planner::k_ozone_own, "2.2.1", options);
        EXPECT_EQ(report.verdict, Verdict::holds) << text(report);
        EXPECT_EQ(report.note, "");
    }

    Fixture site = planner::ozone_fixture(planner::k_ozone_own);
    Options options;
};

TEST_F(HalfWayOzone, Prepared) {
    prepare();
    expect_open();
}

TEST_F(HalfWayOzone, HalfStopped) {
    prepare();
    planner::ozone_stop(site, "om1");
    planner::ozone_stop(site, "dn2");
    expect_open();
}

TEST_F(HalfWayOzone, HalfSwapped) {
    prepare();
    for (const std::string& member : planner::members_of(site, "")) {
        planner::ozone_stop(site, member);
    }
    for (const char* member : {"scm1", "dn1", "dn3"}) {
        planner::install(site, member, "2.2.1");
    }
    expect_open();
}

TEST_F(HalfWayOzone, PreFinalized) {
    for (const std::string& member : planner::members_of(site, "")) {
        planner::install(site, member, "2.2.1");
        planner::ozone_start(site, member);
    }
    // The copies were made by an earlier run, which this plan knows nothing of.
    options.properties = {Property::no_way_back, Property::unasked_return_point};
    expect_open();
}

}  // namespace
}  // namespace drydock::checker
