// Plans over several roles: an offline upgrade with a way back, entered wherever it stands.
#include "planner/fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace drydock::planner {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

model::Plan plan_of(const Fixture& site,
                    const std::string& from,
                    const std::string& to,
                    const std::string& procedure = "upgrade") {
    auto compiled = site.compile(from, to, procedure);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan.value_or(model::Plan());
}

std::vector<std::string> ids(const model::Plan& plan) {
    std::vector<std::string> all;
    for (const model::Action& action : plan.actions) {
        all.push_back(action.id);
    }
    return all;
}

std::size_t index_of(const model::Plan& plan, const std::string& id) {
    const auto all = ids(plan);
    const auto it = std::find(all.begin(), all.end(), id);
    EXPECT_NE(it, all.end()) << id << " is not in\n" << outline(plan);
    return static_cast<std::size_t>(it - all.begin());
}

const model::Action& action(const model::Plan& plan, const std::string& id) {
    return plan.actions.at(index_of(plan, id));
}

TEST(Roles, EachHasItsMembersAndItsQuorum) {
    const auto plan = plan_of(offline_site("1.0", {3, 2, 1, 0}), "1.0", "2.0");
    const auto roster = plan.roster();
    EXPECT_EQ(roster.at("keeper"), (std::vector<std::string>{"k1", "k2", "k3"}));
    EXPECT_EQ(roster.at("node"), (std::vector<std::string>{"n1", "n2"}));
    EXPECT_TRUE(roster.at("viewer").empty());
    std::map<std::string, int> quorums;
    for (const auto& role : plan.roles) {
        quorums[role.name] = role.quorum;
    }
    EXPECT_EQ(
        quorums,
        (std::map<std::string, int>{{"keeper", 2}, {"names", 1}, {"node", 0}, {"viewer", 0}}));
    const auto again = model::plan_from_json(model::to_json(plan));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->digest(), plan.digest());
    EXPECT_EQ(again->roster(), roster);
}

// The law is a command's: what sends it closes the way back, and the pack's gate stands before it,
// with the step that prepares it between.
TEST(Roles, TheFirstCommandThatRaisesAStoreIsThePointOfNoReturn) {
    const auto plan = plan_of(offline_site("1.0"), "1.0", "2.0");
    EXPECT_EQ(plan.point_of_no_return.action, "finalize/k1/meta");
    EXPECT_EQ(plan.point_of_no_return.gate, "finalize");
    EXPECT_EQ(plan.point_of_no_return.store, "meta");
    EXPECT_THAT(ids(plan), Not(Contains(HasSubstr("-closing"))));
    EXPECT_LT(index_of(plan, "finalize/finalize"), index_of(plan, "finalize/k1/close"));
}

TEST(Roles, StepsBesideEachOtherWaitForTheSame) {
    const auto plan = plan_of(offline_site("1.0"), "1.0", "2.0");
    EXPECT_EQ(action(plan, "start/n1/start-2").predecessors,
              action(plan, "start/k1/start").predecessors);
    const auto& after = action(plan, "start/o1/start-3").predecessors;
    for (const char* before : {"start/k1/start", "start/n1/start-2", "start/n3/start-2"}) {
        EXPECT_THAT(after, Contains(index_of(plan, before)));
    }
}

TEST(Roles, AStartMayHaveArgumentsOfItsOwn) {
    const auto plan = plan_of(offline_site("1.0"), "1.0", "2.0");
    EXPECT_EQ(action(plan, "start/o1/start-3").request["arguments"],
              Json(Json::Array{"--upgrade"}));
    EXPECT_TRUE(action(plan, "start/k1/start").request["arguments"].is_null());
}

TEST(Roles, AnEffectMayBeOnAllOfARole) {
    const auto plan = plan_of(offline_site("1.0", {1, 3, 3, 0}), "1.0", "2.0");
    std::vector<std::string> refused;
    for (const auto& effect : action(plan, "freeze/o1/freeze").effects) {
        refused.push_back(model::fact_key(effect.member, effect.name));
    }
    EXPECT_EQ(refused, (std::vector<std::string>{"o1/writes", "o2/writes", "o3/writes"}));
    const auto& effects = action(plan, "finalize/k1/meta").effects;
    EXPECT_TRUE(std::any_of(effects.begin(), effects.end(), [](const model::Effect& one) {
        return one.member == "n3" && one.name == "format" && one.value == Json("10");
    }));
}

std::vector<std::string> members_of(const model::Action& action) {
    std::vector<std::string> members;
    for (const auto& effect : action.effects) {
        members.push_back(effect.member);
    }
    return members;
}

// What a host has once, such as a package, is one step there and moves all members on it.
TEST(Roles, AnEffectMayBeOnAllMembersOfAHost) {
    auto site = offline_site("1.0", {1, 3, 3, 0});
    site.pack = changed_pack("tests/packs/offline",
                             "procedures/upgrade.yaml",
                             {{"on: {one_of: names}", "on: {one_per_host: names}"},
                              {"value: refused, of: every", "value: refused, of: host"}});
    site.cluster.hosts["there"] = site.cluster.hosts.at("here");
    for (model::Member& member : site.cluster.members) {
        member.host = member.name == "o2" ? "there" : member.host;
    }
    const auto plan = plan_of(site, "1.0", "2.0");
    EXPECT_EQ(members_of(action(plan, "freeze/o1/freeze")), (std::vector<std::string>{"o1", "o3"}));
    EXPECT_EQ(members_of(action(plan, "freeze/o2/freeze")), std::vector<std::string>{"o2"});
    EXPECT_EQ(action(plan, "freeze/o2/freeze").host, "there");
    EXPECT_THAT(ids(plan), Not(Contains("freeze/o3/freeze")));
}

// Releases that write the same formats have nothing to finalize: no gate, no step, and it is said.
TEST(Roles, AHopThatRaisesNothingHasNoGate) {
    const auto plan = plan_of(offline_site("2.0"), "2.0", "2.1");
    EXPECT_FALSE(plan.point_of_no_return.exists);
    EXPECT_THAT(ids(plan), Not(Contains(HasSubstr("finalize"))));
    EXPECT_THAT(plan.notes,
                Contains(HasSubstr("both releases write meta 10; both releases write names 9")));
}

TEST(Roles, AClusterFileMayNameItsOwnBuilds) {
    auto site = offline_site("1.0-own");
    EXPECT_EQ(site.cluster.releases.at("1.0-own").series, "1");
    for (const auto& [version, release] : site.cluster.releases) {
        site.pack.releases[version] = release;
    }
    const auto plan = plan_of(site, "1.0-own", "2.0");
    EXPECT_TRUE(plan.point_of_no_return.exists);
    EXPECT_EQ(plan.max_skew, 1);
}

// Half stopped, half switched, half started: every member is entered where it stands.
TEST(Roles, MembersAreEnteredWhereTheyStand) {
    auto site = offline_site("1.0");
    for (const char* member : {"n1", "n2", "o1"}) {
        stop(site, member);
    }
    install(site, "n1", "2.0");
    stop(site, "k1");
    install(site, "k1", "2.0");
    start(site, "k1", "2.0");
    site.facts["o1/writes"] = {model::ObservationStatus::absent, {}, "", 0};
    const auto plan = plan_of(site, "1.0", "2.0");
    const auto all = ids(plan);
    EXPECT_THAT(all, Contains("start/k1/start-confirmed"));
    EXPECT_THAT(all, Not(Contains("stop/k1/stop-4")));
    EXPECT_THAT(all, Not(Contains("switch/k1/keepers")));
    EXPECT_THAT(all, Not(Contains("stop/n1/stop-3")));
    EXPECT_THAT(all, Not(Contains("switch/n1/nodes")));
    EXPECT_THAT(all, Contains("start/n1/start-2"));
    EXPECT_THAT(all, Contains("switch/n2/nodes"));
    EXPECT_THAT(all, Contains("stop/n3/stop-3"));
    EXPECT_THAT(all, Contains("switch/o1/names"));
}

// Prepared and nothing more: going back is one command.
TEST(Roles, TheWayBackOfAFrozenClusterIsToThawIt) {
    auto site = offline_site("1.0");
    site.set("o1", "writes", "refused");
    const auto plan = plan_of(site, "2.0", "1.0", "downgrade");
    for (const model::Action& one : plan.actions) {
        EXPECT_TRUE(one.request.is_null() || one.id == "thaw/o1/thaw") << one.id;
    }
}

TEST(Roles, TheWayBackIsClosedOnceAStoreIsRaised) {
    auto site = offline_site("2.0");
    site.set("", "names_level", "3");
    const auto compiled = site.compile("2.0", "1.0", "downgrade");
    EXPECT_FALSE(compiled.plan);
    EXPECT_THAT(text(compiled), HasSubstr("meta_level is 10, expected 4"));
}

// Nothing raises a format, but what the old release needs is destroyed: a gate is put before that.
TEST(Roles, DestroyingWhatTheOldReleaseNeedsIsThePointOfNoReturn) {
    auto site = offline_site("2.0");
    for (auto& procedure : site.pack.procedures) {
        for (auto& phase : procedure.phases) {
            for (auto& step : phase.steps) {
                if (step.id == "nodes") {
                    step.effects.push_back(
                        {model::EffectKind::destroys, "meta", {}, "", model::Reach::member});
                }
            }
        }
    }
    const auto plan = plan_of(site, "2.0", "2.1");
    EXPECT_EQ(plan.point_of_no_return.law, "on_destroy");
    EXPECT_EQ(plan.point_of_no_return.action, "switch/n1/nodes");
    EXPECT_THAT(plan.point_of_no_return.because, HasSubstr("destroys meta, which 2.0 needs"));
    const auto gate = std::find_if(plan.actions.begin(), plan.actions.end(), [](auto& one) {
        return one.is_point_of_no_return;
    });
    ASSERT_NE(gate, plan.actions.end());
    EXPECT_LT(static_cast<std::size_t>(gate - plan.actions.begin()),
              index_of(plan, "switch/n1/nodes"));
}

// All run the new release, and one store is still as the old one left it: the hop is not over.
TEST(Roles, ALevelThatIsBehindTellsWhereTheHopBegan) {
    auto site = offline_site("2.0");
    EXPECT_EQ(*current_version(site.pack, site.cluster, site.facts, "2.0"), "2.0");
    site.set("", "names_level", "3");
    EXPECT_EQ(*current_version(site.pack, site.cluster, site.facts, "2.0"), "1.0");
    const auto plan = plan_of(site, "1.0", "2.0");
    EXPECT_THAT(ids(plan), Not(Contains(HasSubstr("stop/"))));
    EXPECT_THAT(ids(plan), Contains("finalize/finalize"));
}

}  // namespace
}  // namespace drydock::planner
