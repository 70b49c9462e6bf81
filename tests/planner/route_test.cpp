// Routes over packs/etcd, and where a cluster stands.
#include "planner/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> stops(const Result<Route>& route) {
    std::vector<std::string> versions;
    if (!route) {
        return {route.error().text()};
    }
    for (const Hop& hop : route->hops) {
        versions.push_back(hop.from_version);
    }
    if (!route->hops.empty()) {
        versions.push_back(route->hops.back().to_version);
    }
    return versions;
}

Result<Route> route(const Fixture& site, const std::string& from, const std::string& to) {
    return find_route(site.pack, site.cluster, from, to);
}

TEST(Route, GoesOverTheNewestStopThatIsKnown) {
    Fixture site = etcd_site(3);
    const auto found = route(site, "3.4.23", "3.6.1");
    EXPECT_THAT(stops(found), ElementsAre("3.4.23", "3.5.32", "3.6.1"));
    EXPECT_THAT(found->forbidden,
                Contains(HasSubstr("3.4.23 -> 3.6.1 skips a series: etcd upgrade guides")));
    EXPECT_THAT(found->forbidden, Contains(HasSubstr("packs/etcd/releases.yaml:20:5")));
    EXPECT_EQ(found->hops.front().procedure, "upgrade");
    EXPECT_THAT(found->hops.front().because, HasSubstr("packs/etcd/procedures/upgrade.yaml:1:1"));
    for (model::Member& member : site.cluster.members) {
        member.versions["3.5.33"] = "/opt/etcd-3.5.33";
    }
    EXPECT_THAT(stops(route(site, "3.4.23", "3.6.1")), ElementsAre("3.4.23", "3.5.33", "3.6.1"));
}

// A stop that no folder is given for cannot be installed; the target is the person's own word.
TEST(Route, StopsWhereTheClusterFileHasFolders) {
    Fixture site = etcd_site(3);
    for (model::Member& member : site.cluster.members) {
        member.versions = {{"3.4.23", "/opt/a"}, {"3.5.32", "/opt/b"}};
    }
    auto& first = site.cluster.members.front().versions;
    first["3.5.33"] = "/opt/c";
    EXPECT_THAT(stops(route(site, "3.4.23", "3.6.1")), ElementsAre("3.4.23", "3.5.32", "3.6.1"));
    first.erase("3.5.32");
    EXPECT_THAT(stops(route(site, "3.4.23", "3.6.1")), ElementsAre("3.4.23", "3.5.33", "3.6.1"));
}

// etcd's guide: no member on an earlier patch of 3.5 goes to 3.6.
TEST(Route, LeavesASeriesFromItsLeastPatchOn) {
    Fixture site = etcd_site(3, "3.5.21");
    const auto found = route(site, "3.5.21", "3.6.1");
    EXPECT_THAT(stops(found), ElementsAre("3.5.21", "3.5.32", "3.6.1"));
    EXPECT_THAT(
        found->forbidden,
        Contains(HasSubstr("3.5.21 -> 3.6.1 leaves 3.5 before 3.5.32: etcd upgrade guide")));
    EXPECT_THAT(stops(route(site, "3.5.32", "3.6.1")), ElementsAre("3.5.32", "3.6.1"));
}

TEST(Route, WithinTheNextSeriesIsOneHop) {
    const Fixture site = etcd_site(3);
    EXPECT_THAT(stops(route(site, "3.4.23", "3.5.16")), ElementsAre("3.4.23", "3.5.16"));
    EXPECT_THAT(stops(route(site, "3.5.16", "3.5.16")), ElementsAre());
    EXPECT_THAT(stops(route(site, "3.6.1", "3.4.23")), ElementsAre("3.6.1", "3.5.21", "3.4.23"));
}

TEST(Route, NamesWhatIsNeverATarget) {
    const auto found = route(etcd_site(3), "3.4.23", "3.5.1");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, "route.none");
    EXPECT_THAT(found.error().message, HasSubstr("3.5.1 is never a target: etcd-io/etcd#13766"));
    EXPECT_THAT(found.error().remedy, HasSubstr("versions"));
}

TEST(Route, RefusesAVersionOfNoSeries) {
    const auto found = route(etcd_site(3), "3.4.23", "4.0.0");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, "route.unknown");
    EXPECT_THAT(found.error().remedy, HasSubstr("3.4, 3.5, 3.6"));
}

std::string stands_at(const Fixture& site, const std::string& to) {
    const auto version = current_version(site.pack, site.cluster, site.facts, to);
    return version ? *version : version.error().code;
}

TEST(CurrentVersion, IsTheOldestOnTheWayUpAndTheNewestOnTheWayBack) {
    Fixture site = etcd_site(3);
    EXPECT_EQ(stands_at(site, "3.5.21"), "3.4.23");
    start(site, "m1", "3.5.21");
    EXPECT_EQ(stands_at(site, "3.5.21"), "3.4.23");
    EXPECT_EQ(stands_at(site, "3.4.23"), "3.5.21");
}

TEST(CurrentVersion, OfAMemberThatIsDownIsWhatItWouldRun) {
    Fixture site = etcd_site(1);
    stop(site, "m1");
    install(site, "m1", "3.5.21");
    EXPECT_EQ(stands_at(site, "3.6.1"), "3.5.21");
    site.set("m1", "installed", {});
    EXPECT_EQ(stands_at(site, "3.6.1"), "plan.version");
}

TEST(CurrentVersion, IsNotReachedWhileTheLevelIsOld) {
    Fixture site = etcd_site(3, "3.5.21");
    EXPECT_EQ(stands_at(site, "3.5.21"), "3.5.21");
    site.set("", "level", "3.4.0");
    EXPECT_EQ(stands_at(site, "3.5.21"), "3.4.23");  // it is in the cluster file; 3.4.37 is not
}

// Its link may be somewhere else by now: what it would run is not what it runs.
TEST(CurrentVersion, CannotBeToldOfAMemberThatDoesNotAnswer) {
    Fixture site = etcd_site(3);
    site.set_unknown("m2", "running");
    EXPECT_EQ(stands_at(site, "3.5.21"), "plan.version");
}

}  // namespace
}  // namespace drydock::planner
