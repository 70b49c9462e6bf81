// Plans of packs/etcd as text, from the states in which a cluster may be found. DRYDOCK_ACCEPT=1
// records them anew; read the diff before committing it.
#include "planner/golden.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_old = "3.4.23";
constexpr const char* k_new = "3.5.21";

TEST(PlannerGolden, ThreeMembers) {
    expect_golden("three", etcd_site(3).compile(k_old, k_new));
}

TEST(PlannerGolden, FiveMembers) {
    expect_golden("five", etcd_site(5).compile(k_old, k_new));
}

TEST(PlannerGolden, TheLeaderIsFirstInTheFile) {
    expect_golden("leader-first", etcd_site(3, k_old, 1).compile(k_old, k_new));
}

TEST(PlannerGolden, OneMemberIsStopped) {
    Fixture site = etcd_site(3);
    stop(site, "m2");
    expect_golden("stopped", site.compile(k_old, k_new));
}

TEST(PlannerGolden, OneMemberIsSwapped) {
    Fixture site = etcd_site(3);
    stop(site, "m2");
    install(site, "m2", k_new);
    expect_golden("swapped", site.compile(k_old, k_new));
}

TEST(PlannerGolden, OneMemberIsDone) {
    Fixture site = etcd_site(3);
    install(site, "m1", k_new);
    start(site, "m1", k_new);
    expect_golden("one-done", site.compile(k_old, k_new));
}

Fixture all_done() {
    Fixture site = etcd_site(3);
    for (const model::Member& member : site.cluster.members) {
        install(site, member.name, k_new);
        start(site, member.name, k_new);
    }
    return site;
}

TEST(PlannerGolden, AllAreDoneButTheLevelIsOld) {
    expect_golden("level-old", all_done().compile(k_old, k_new));
}

TEST(PlannerGolden, AllAreDoneAndTheLevelHasRisen) {
    Fixture site = all_done();
    site.set("", "level", "3.5.0");
    expect_golden("level-risen", site.compile(k_old, k_new));
    expect_golden("back-closed", site.compile(k_new, k_old, "downgrade"));
}

// Two run 3.5, the leader still 3.4; one of the two is stopped and switched back already.
TEST(PlannerGolden, ADowngradeThatIsHalfWay) {
    Fixture site = etcd_site(3);
    for (const char* member : {"m1", "m2"}) {
        install(site, member, k_new);
        start(site, member, k_new);
    }
    stop(site, "m1");
    install(site, "m1", k_old);
    expect_golden("back-half-way", site.compile(k_new, k_old, "downgrade"));
}

TEST(PlannerGolden, From35To36AndBack) {
    expect_golden("to-36", etcd_site(3, k_new).compile(k_new, "3.6.1"));
    expect_golden("back-from-36", etcd_site(3, "3.6.1").compile("3.6.1", k_new, "downgrade"));
}

}  // namespace
}  // namespace drydock::planner
