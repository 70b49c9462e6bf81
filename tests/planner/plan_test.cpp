// What a plan of packs/etcd is guarded by, bound to and refused for.
#include "planner/fixture.h"
#include "planner/interpolation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* k_old = "3.4.23";
constexpr const char* k_new = "3.5.21";

model::Plan plan_of(const Fixture& site) {
    auto compiled = site.compile(k_old, k_new);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

bool guarded_by(const model::Action& action, const std::string& fact) {
    return std::any_of(action.preconditions.begin(),
                       action.preconditions.end(),
                       [&](const auto& condition) { return condition.fact == fact; });
}

TEST(Plan, KeptRequirementsGuardEveryStopAndTheGate) {
    int guarded = 0;
    for (const model::Action& action : plan_of(etcd_site(3)).actions) {
        if (action.verb == model::Verb::stop || action.is_gate()) {
            ++guarded;
            for (const char* fact : {"members_seen", "cluster_id", "errors", "auth_on", "room"}) {
                EXPECT_TRUE(guarded_by(action, fact)) << action.id << " " << fact;
            }
        }
    }
    EXPECT_EQ(guarded, 4);
}

// Members that must be ready beside the one that is stopped; -1 if nothing asks for that.
int others_ready(const model::Action& action) {
    for (const model::Condition& condition : action.preconditions) {
        if (condition.fact == "ready" && condition.quantifier == model::Quantifier::others) {
            return condition.members_min;
        }
    }
    return -1;
}

TEST(Plan, EveryStopLeavesAQuorumAndNoMoreThanAllowedDown) {
    for (const int members : {3, 5}) {
        Fixture site = etcd_site(members);
        EXPECT_EQ(others_ready(*plan_of(site).find("roll/m1/stop")), members - 1);
        site.cluster.policy.max_unavailable = members;  // now the quorum is the stricter one
        for (const model::Action& action : plan_of(site).actions) {
            const bool stops = action.verb == model::Verb::stop;
            EXPECT_EQ(others_ready(action), stops ? members / 2 + 1 : -1) << action.id;
        }
    }
}

TEST(Plan, IsBoundToWhatItStandsOnAndNothingElse) {
    const auto plan = plan_of(etcd_site(3));
    for (const char* key : {"m1/running",
                            "m1/installed",
                            "m1/ready",
                            "level",
                            "m2/cluster_id",
                            "m2/member_id",
                            "m3/service",
                            "m1/old_binary"}) {
        EXPECT_TRUE(plan.bound_facts.contains(key)) << key;
    }
    for (const auto& [key, observation] : plan.bound_facts) {
        const model::FactSource& source = plan.sources.at(key);
        const bool changed = source.name == "service";
        EXPECT_TRUE(source.standard_fact != model::StandardFact::none || source.identity || changed)
            << key;
        EXPECT_FALSE(source.is_volatile) << key;
        EXPECT_NE(observation.status, model::ObservationStatus::unknown) << key;
    }
}

TEST(Plan, ReadsOnlyFactsThatSomethingLooksAt) {
    const auto plan = plan_of(etcd_site(3));
    EXPECT_TRUE(plan.sources.contains("common_revision"));  // the probe of kv_hash needs it
    EXPECT_FALSE(plan.sources.contains("lost_by_restore"));
    EXPECT_FALSE(plan.sources.contains("m1/since_copy"));
}

TEST(Plan, TellsTheWaysBackWithTheirCost) {
    Fixture site = etcd_site(3);
    auto ways = plan_of(site).ways_back;
    ASSERT_EQ(ways.size(), 3U);
    EXPECT_EQ(ways[0].phase + ", " + std::string(name_of(ways[0].kind)) + ": " + ways[0].cost,
              "before the gate, downgrade: nothing lost");
    EXPECT_EQ(ways[1].phase, "after the gate");
    EXPECT_THAT(ways[1].cost, HasSubstr("new cluster id"));
    EXPECT_EQ(ways[2].cost, "loses what was written since the copy");
    EXPECT_EQ(ways[2].command,
              "drydock plan -c /site/orders.yaml --to 3.4.23 --restore COPY -o back.json");
    site.set("", "lost_by_restore", 17);
    EXPECT_THAT(plan_of(site).ways_back[2].cost, HasSubstr(": 17 revisions so far"));
}

TEST(Plan, IsRefusedForARiskThatIsPresentOrCannotBeTold) {
    Fixture site = etcd_site(3);
    site.set("m2", "db_percent", 85);
    EXPECT_THAT(text(site.compile(k_old, k_new)), HasSubstr("known risk no-space (present)"));
    site.set_unknown("m2", "db_percent");
    EXPECT_THAT(text(site.compile(k_old, k_new)), HasSubstr("known risk no-space (cannot tell)"));
    site.set("m2", "db_percent", 10);
    EXPECT_EQ(text(site.compile(k_old, k_new)), "");
}

TEST(Plan, IsRefusedWhileAuthIsOn) {
    Fixture site = etcd_site(3);
    site.set("m1", "auth_on", true);
    const std::string refused = text(site.compile(k_old, k_new));
    EXPECT_THAT(refused, HasSubstr("auth-while-mixed (present)"));
    EXPECT_THAT(refused, HasSubstr("etcd-io/etcd#11943"));
}

// A risk that is only told of does not refuse; one of other releases is not spoken of.
TEST(Plan, TellsOfRisksOfItsOwnReleasesOnly) {
    const auto compiled = etcd_site(3, k_new).compile(k_new, "3.6.1");
    ASSERT_TRUE(compiled.plan) << text(compiled);
    std::string told;
    for (const model::RiskNote& risk : compiled.plan->risks) {
        told += risk.id + " " + std::string(name_of(risk.state)) + "\n";
    }
    EXPECT_THAT(told, HasSubstr("zombie-members present"));
    EXPECT_THAT(told, Not(HasSubstr("auth-while-mixed")));
}

TEST(Plan, IsRefusedForAMemberOfAnotherRelease) {
    Fixture site = etcd_site(3);
    start(site, "m1", "3.4.30");
    EXPECT_THAT(text(site.compile(k_old, k_new)),
                HasSubstr("m1/running is 3.4.30, which is neither 3.4.23 nor 3.5.21"));
}

TEST(Plan, TellsWhatItFoundWhereNobodyFitsAStep) {
    Fixture site = etcd_site(3);
    for (const char* member : {"m1", "m2"}) {
        site.set_unknown(member, "is_leader");
    }
    const auto compiled = site.compile(k_old, k_new);
    EXPECT_FALSE(compiled.plan);
    EXPECT_THAT(text(compiled), HasSubstr("m1/is_leader is not known (timed out)"));
    EXPECT_THAT(text(compiled), HasSubstr("m3/is_leader is true"));
}

TEST(Plan, IsTheSameForTheSameFacts) {
    EXPECT_EQ(plan_of(etcd_site(5)).digest(), plan_of(etcd_site(5)).digest());
    EXPECT_NE(plan_of(etcd_site(5)).digest(), plan_of(etcd_site(5, k_old, 2)).digest());
}

// A majority of one or two is all of them: no guard could ever let one be stopped.
TEST(Plan, IsRefusedWhereNobodyMayEverBeStopped) {
    for (const int members : {1, 2}) {
        const auto compiled = etcd_site(members, "3.4.23", 1).compile("3.4.23", "3.5.21");
        EXPECT_FALSE(compiled.plan) << members;
        ASSERT_EQ(compiled.problems.size(), 1U) << text(compiled);
        EXPECT_EQ(compiled.problems.front().code, "plan.quorum");
        EXPECT_THAT(compiled.problems.front().message, HasSubstr("none may ever be stopped"));
        EXPECT_THAT(compiled.problems.front().remedy, HasSubstr("add members first"));
    }
    EXPECT_TRUE(etcd_site(3).compile("3.4.23", "3.5.21").plan);
}

// Somebody has stopped the old one already: nothing is left to be guarded.
TEST(Plan, IsMadeWhereTheOnlyOldMemberOfTwoIsDown) {
    Fixture site = etcd_site(2, "3.4.23", 1);
    stop(site, "m1");
    install(site, "m1", "3.5.21");
    start(site, "m1", "3.5.21");
    stop(site, "m2");
    const auto compiled = site.compile("3.4.23", "3.5.21");
    EXPECT_THAT(text(compiled), Not(HasSubstr("none may ever be stopped")));
}

// A plan names a line of a pack so that people find it: below packs/, or in the one folder that
// DRYDOCK_PACKS names.
TEST(Plan, NamesLinesAsTheyAreFound) {
    model::Pack pack;
    pack.name = "shop";
    pack.folder = "/srv/packs/shop";
    EXPECT_EQ(place(pack, {"/srv/packs/shop/releases.yaml", 3, 1}), "packs/shop/releases.yaml:3:1");
    pack.folder = "/srv/case/pack";
    EXPECT_EQ(place(pack, {"/srv/case/pack/releases.yaml", 3, 1}), "pack/releases.yaml:3:1");
}

}  // namespace
}  // namespace drydock::planner
