// Routes of Backend.AI by its makers' rules, what can be installed, and the packages' own chains.
#include "chain/catalogue.h"
#include "chain/explain.h"
#include "os/files.h"
#include "pack/load.h"
#include "planner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace drydock::chain {

namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class BackendRoute : public testing::Test {
protected:
    static void SetUpTestSuite() {
        const std::string folder = DRYDOCK_SOURCE_DIR "/packs/backendai";
        auto loaded = pack::load_pack(folder);
        ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
        pack_ = std::move(*loaded.value);
        const auto text = os::read_file(folder + "/releases.chains", 4 << 20);
        ASSERT_TRUE(text);
        const auto catalogue = read_catalogue(*text);
        ASSERT_TRUE(catalogue);
        for (const CatalogueEntry& entry : *catalogue) {
            readings_[entry.release] = reading_of(entry);
        }
    }

    static planner::ChainVerdict ask(const std::string& from, const std::string& to) {
        const auto found = compare(readings_.at(from), readings_.at(to));
        return {true, found.verdict == Verdict::clean, std::string(name_of(found.verdict))};
    }

    static Result<planner::Route> find(const std::string& from, const std::string& to) {
        return planner::find_route(pack_, {}, from, to, {ask, nullptr});
    }

    static std::string stops(const std::string& from, const std::string& to) {
        const auto found = find(from, to);
        if (!found) {
            return found.error().message;
        }
        std::string words = from;
        for (const planner::Hop& hop : found->hops) {
            words += " " + hop.to_version;
        }
        return words;
    }

    static model::Pack pack_;
    static std::map<std::string, Reading> readings_;
};

model::Pack BackendRoute::pack_;
std::map<std::string, Reading> BackendRoute::readings_;

// 23.09.4 is yanked, 23.09.7 and .9 never came out.
TEST_F(BackendRoute, WithinASeriesEveryReleaseThatCanBeInstalled) {
    EXPECT_EQ(stops("23.03.11", "23.09.0"), "23.03.11 23.03.12 23.09.0");
    EXPECT_EQ(stops("23.09.0", "23.09.10"),
              "23.09.0 23.09.1 23.09.2 23.09.3 23.09.5 23.09.6 23.09.8 23.09.10");
    EXPECT_THAT(stops("23.09.10", "23.09.11"), HasSubstr("23.09.11 cannot be installed"));
}

// What is not there is no stop, and passing over it breaks no rule.
TEST_F(BackendRoute, GoesByTheReleasesThatTheClusterFileHas) {
    model::Cluster cluster;
    cluster.members.resize(2);
    for (model::Member& member : cluster.members) {
        for (const char* release : {"23.03.11", "23.03.12", "23.09.0", "23.09.8", "23.09.10"}) {
            member.versions[release] = std::string("/opt/") + release;
        }
    }
    cluster.members.back().versions.erase("23.09.0");
    const auto found = planner::find_route(pack_, cluster, "23.03.11", "23.09.8", {ask, nullptr});
    ASSERT_TRUE(found) << found.error().text();
    ASSERT_EQ(found->hops.size(), 2U);
    EXPECT_EQ(found->hops.front().to_version, "23.03.12");
    EXPECT_EQ(found->hops.back().to_version, "23.09.8");
    EXPECT_THAT(found->notes, Contains(HasSubstr("the cluster file has no folder for them")));
}

// What the guide allows, the packages forbid.
TEST_F(BackendRoute, AHopThatSkipsRevisionsIsNone) {
    const std::string why = stops("23.09.10", "24.03.0");
    EXPECT_THAT(why,
                HasSubstr("23.09.10 -> 24.03.0: the rules allow it, but by the packages: skipped"));
    EXPECT_THAT(stops("22.09.23", "23.03.0"), HasSubstr("unknown_head"));
}

// 26.4.10 -> 26.7.0 is legal and cannot work; over it is forbidden and clean.
TEST_F(BackendRoute, ASeriesIsPassedOverWhereThePackagesLeaveNoOtherWay) {
    EXPECT_EQ(stops("26.4.10", "26.8.0"), "26.4.10 26.8.0");
    EXPECT_THAT(find("26.4.10", "26.8.0")->notes,
                Contains(HasSubstr("26.4.10 -> 26.8.0 skips the series 26.7: upgrade guide")));
    EXPECT_THAT(find("26.4.10", "26.8.0")->forbidden,
                Contains(HasSubstr("26.4.10 -> 26.7.0: the rules allow it, but by the packages: "
                                   "unknown_head")));
}

// 24.12 has nothing to install, so nothing of it is skipped.
TEST_F(BackendRoute, ASeriesWithoutAnInstallableReleaseIsNoSeries) {
    const auto found = find("24.09.5", "25.1.1");
    ASSERT_TRUE(found) << found.error().text();
    for (const planner::Hop& hop : found->hops) {
        EXPECT_NE(hop.to_version.substr(0, 5), "24.12");
        EXPECT_NE(hop.to_version, "24.09.7");
    }
}

TEST_F(BackendRoute, ALongWayKeepsTheRules) {
    const auto found = find("25.7.0", "25.15.12");
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->hops.front().to_version, "25.8.1");
    EXPECT_EQ(found->hops.back().to_version, "25.15.12");
    EXPECT_THAT(found->notes, Contains(HasSubstr("needs python >=3.13 <3.14")));
}

}  // namespace

}  // namespace drydock::chain
