// Each rule of releases.yaml on a small system of three series, and facts that beat rules.
#include "base/text.h"
#include "planner/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {

namespace {

using model::RouteRule;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class RouteRules : public testing::Test {
protected:
    RouteRules() {
        pack_.name = "shop";
        for (const char* series : {"1", "2", "3"}) {
            pack_.series_order.emplace_back(series);
            pack_.series[series] = {};
            for (const char* patch : {".0", ".1", ".2"}) {
                add(std::string(series) + patch, series);
            }
        }
        for (const char* name : {"upgrade", "downgrade"}) {
            model::ProcedureSpec procedure;
            procedure.name = name;
            procedure.title = name;
            pack_.procedures.push_back(procedure);
        }
    }

    void add(const std::string& version, const std::string& series) {
        model::ReleaseSpec release;
        release.version = version;
        release.series = series;
        pack_.releases[version] = release;
    }

    void rule(RouteRule rule, const std::string& argument, bool yields = false) {
        pack_.policies.push_back(
            {rule, argument, {}, "pythons", yields, "the guide", {"r.yaml", 7, 3}});
    }

    void rule(RouteRule rule, const std::vector<std::string>& versions) {
        pack_.policies.push_back({rule, "", versions, "", false, "the guide", {"r.yaml", 7, 3}});
    }

    Result<Route> find(const std::string& from, const std::string& to) {
        return find_route(pack_, {}, from, to, known_);
    }

    std::string stops(const std::string& from, const std::string& to) {
        const auto found = find(from, to);
        if (!found) {
            return found.error().message;
        }
        std::string words = from;
        for (const Hop& hop : found->hops) {
            words += " " + hop.to_version;
        }
        return words;
    }

    model::Pack pack_;
    RouteFacts known_;
    model::FactBook facts_;
};

TEST_F(RouteRules, WithoutRulesEverythingIsOneHop) {
    EXPECT_EQ(stops("1.0", "3.2"), "1.0 3.2");
    EXPECT_EQ(stops("3.2", "1.0"), "3.2 1.0");
}

TEST_F(RouteRules, ConsecutiveGoesOverEveryReleaseOfASeries) {
    rule(RouteRule::consecutive, "series");
    EXPECT_EQ(stops("1.0", "1.2"), "1.0 1.1 1.2");
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 2.0");
    EXPECT_THAT(find("1.0", "1.2")->forbidden,
                Contains(HasSubstr("1.0 -> 1.2 passes over 1.1: the guide")));
}

TEST_F(RouteRules, ASeriesIsLeftFromItsLatest) {
    rule(RouteRule::latest_of_previous_series, "true");
    rule(RouteRule::no_series_skip, "true");
    EXPECT_EQ(stops("1.0", "2.1"), "1.0 1.2 2.1");
    EXPECT_EQ(stops("1.2", "3.0"), "1.2 2.2 3.0");
    EXPECT_THAT(find("1.0", "2.1")->forbidden,
                Contains(HasSubstr("1.0 -> 2.1 leaves its series before 1.2")));
}

TEST_F(RouteRules, OneSeriesOrOneReleaseAtATime) {
    rule(RouteRule::adjacent_only, "series");
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 2.2 3.0");
    rule(RouteRule::adjacent_only, "release");
    EXPECT_EQ(stops("1.1", "2.1"), "1.1 1.2 2.0 2.1");
}

TEST_F(RouteRules, SkewAndNever) {
    rule(RouteRule::max_skew, "1");
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 2.2 3.0");
    rule(RouteRule::never, "=2.2");
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 2.1 3.0");
    EXPECT_THAT(stops("1.0", "2.2"), HasSubstr("2.2 is never a target: the guide"));
}

// The stop is any release of the series; one that is in it has been there.
TEST_F(RouteRules, ARouteStopsWhereTheMakersSaySo) {
    rule(RouteRule::stop_at, std::vector<std::string>{"2"});
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 2.2 3.0");
    EXPECT_EQ(stops("2.0", "3.0"), "2.0 3.0");
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 2.0");
    EXPECT_EQ(stops("3.0", "1.0"), "3.0 1.0");
    EXPECT_THAT(
        find("1.0", "3.0")->forbidden,
        Contains(
            "1.0 -> 3.0 passes over 2, in which a route stops: the guide (packs/shopr.yaml:7:3)"));
    for (const char* release : {"2.0", "2.1", "2.2"}) {
        pack_.releases[release].unavailable = "no file";
    }
    EXPECT_THAT(stops("1.0", "3.0"), HasSubstr("stops (it has no release to install): the guide"));
}

TEST_F(RouteRules, AHopGoesOverSoManySeriesAtMost) {
    add("4.0", "4");
    pack_.series_order.emplace_back("4");
    pack_.series["4"] = {};
    rule(RouteRule::at_most, "2");
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 3.0");
    EXPECT_EQ(stops("1.0", "4.0"), "1.0 3.2 4.0");
    EXPECT_EQ(stops("4.0", "1.0"), "4.0 1.0");
    EXPECT_THAT(find("1.0", "4.0")->forbidden,
                Contains("1.0 -> 4.0 goes over 3 series at once, 2 at most are allowed: the guide "
                         "(packs/shopr.yaml:7:3)"));
}

// The minimum moves with the series: each has its own.
TEST_F(RouteRules, ASeriesIsLeftFromALeastPatch) {
    rule(RouteRule::adjacent_only, "series");
    rule(RouteRule::at_least_patch, std::vector<std::string>{"1.1", "2.2"});
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 1.2 2.0");
    EXPECT_EQ(stops("1.1", "2.0"), "1.1 2.0");
    EXPECT_EQ(stops("1.0", "1.1"), "1.0 1.1");
    EXPECT_EQ(stops("1.2", "3.0"), "1.2 2.2 3.0");
    EXPECT_EQ(stops("2.0", "1.0"), "2.0 1.0");
    EXPECT_THAT(find("1.0", "2.0")->forbidden,
                Contains("1.0 -> 2.0 leaves 1 before 1.1: the guide (packs/shopr.yaml:7:3)"));
    pack_.releases["2.2"].unavailable = "no file";
    EXPECT_THAT(stops("1.1", "3.0"), HasSubstr("2.0 -> 3.0 leaves 2 before 2.2: the guide"));
}

// What cannot be installed is no stop, and counts for no rule.
TEST_F(RouteRules, WhatCannotBeInstalledIsNoStop) {
    rule(RouteRule::latest_of_previous_series, "true");
    rule(RouteRule::no_series_skip, "true");
    pack_.releases["1.2"].unavailable = "yanked: broken";
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 1.1 2.0");
    EXPECT_THAT(stops("1.0", "1.2"), HasSubstr("1.2 cannot be installed: yanked: broken"));
    for (const char* release : {"2.0", "2.1", "2.2"}) {
        pack_.releases[release].unavailable = "no file";
    }
    EXPECT_EQ(stops("1.1", "3.0"), "1.1 3.0");
}

TEST_F(RouteRules, WhatAReleaseNeedsMustBeThere) {
    rule(RouteRule::runtime, "python");
    pack_.releases["3.0"].needs["python"] = ">=3.12 <3.13";
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 3.0");
    EXPECT_THAT(
        find("1.0", "3.0")->notes,
        Contains(HasSubstr("3.0 needs python >=3.12 <3.13; whether that is there was not")));
    facts_["pythons"].status = model::ObservationStatus::known;
    facts_["pythons"].value = Json::Array{"3.11.2"};
    known_.facts = &facts_;
    EXPECT_THAT(stops("1.0", "3.0"), HasSubstr("3.0 needs python >=3.12 <3.13, and there is"));
    facts_["pythons"].value = Json::Array{"3.11.2", "3.12.4"};
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 3.0");
    EXPECT_THAT(find("1.0", "3.0")->notes, IsEmpty());
    pack_.releases["3.0"].needs["python"] = "debian-12 | debian-13";
    facts_["pythons"].value = "debian-13";
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 3.0");
}

TEST_F(RouteRules, AHopThatThePackagesSpeakAgainstIsNone) {
    rule(RouteRule::adjacent_only, "series");
    known_.chain = [](const std::string& from, const std::string& to) {
        return ChainVerdict{true, !(from == "1.2" && to == "2.0"), "skipped. 6 never run"};
    };
    EXPECT_EQ(stops("1.1", "2.0"), "1.1 2.0");
    EXPECT_THAT(stops("1.2", "2.0"),
                HasSubstr("1.2 -> 2.0: the rules allow it, but by the packages: skipped. 6 never"));
    EXPECT_THAT(stops("1.2", "2.0"), HasSubstr("Near by: 1.2 -> 2.1 is one allowed hop, past 2.0"));
}

// While a route keeps the rule, it is kept. Where none does, the rule falls, but only for a fact.
TEST_F(RouteRules, AFactBeatsARuleThatYieldsAndBothAreTold) {
    rule(RouteRule::latest_of_previous_series, "true", true);
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 1.2 2.0");
    known_.chain = [](const std::string&, const std::string&) {
        return ChainVerdict{true, true, {}};
    };
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 1.2 2.0");
    known_.chain = [](const std::string& from, const std::string&) {
        return ChainVerdict{true, from != "1.2", "skipped"};
    };
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 2.0");
    EXPECT_THAT(find("1.0", "2.0")->notes,
                Contains(HasSubstr("a rule speaks against it: 1.0 -> 2.0 leaves its series before "
                                   "1.2: the guide")));
    known_.chain = [](const std::string&, const std::string&) { return ChainVerdict{}; };
    EXPECT_EQ(stops("1.0", "2.0"), "1.0 1.2 2.0");
}

TEST_F(RouteRules, AnotherWayIsToldToo) {
    rule(RouteRule::max_skew, "1");
    EXPECT_EQ(stops("1.0", "3.0"), "1.0 2.2 3.0");
    EXPECT_EQ(find("1.0", "3.0")->alternative, "1.0 -> 2.1 -> 3.0");
}

}  // namespace

}  // namespace drydock::planner
