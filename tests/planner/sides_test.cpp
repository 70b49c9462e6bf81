// Sides: a role with two of them is two roles in a plan, and who is the source is found in the
// facts.
#include "planner/plan_of.h"
#include "planner/small_fixtures.h"
#include "run/expected_facts.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

std::vector<std::string> members_of(const model::Plan& plan, const char* role) {
    return plan.roster()[role];
}

using Names = std::vector<std::string>;

TEST(Sides, are_roles_of_a_plan) {
    const auto plan = plan_of(beside_site());
    EXPECT_EQ(members_of(plan, "server@source"), Names{"b1"});
    EXPECT_EQ(members_of(plan, "server@target"), Names{"g1"});
    EXPECT_EQ(plan.roster().count("server"), 0U);
    const model::Action* turn = plan.find("turn/g1/turn");
    ASSERT_NE(turn, nullptr);
    EXPECT_EQ(turn->title, "clients are given the address of green");
    EXPECT_EQ(turn->preconditions.front().role, "server@target");
    EXPECT_EQ(model::describe(turn->preconditions.front()), "every target server's ready is true");
    EXPECT_EQ(turn->effects.front().value, Json("green"));
}

// A condition about one side does not look at the other.
TEST(Sides, do_not_count_for_each_other) {
    Fixture site = beside_site();
    site.cluster = [&] {
        model::Cluster more = site.cluster;
        for (const char* name : {"b2", "b3", "g2", "g3"}) {
            model::Member member = more.members[name[0] == 'b' ? 0 : 1];
            member.name = name;
            more.members.push_back(member);
        }
        return more;
    }();
    for (const char* name : {"b2", "b3", "g2", "g3"}) {
        install(site, name, name[0] == 'b' ? "1.0" : "2.0");
        start(site, name, name[0] == 'b' ? "1.0" : "2.0");
    }
    site.pack.roles.at("server").quorum.kind = model::QuorumKind::majority;
    const auto plan = plan_of(site);
    for (const model::PlanRole& role : plan.roles) {
        EXPECT_EQ(role.quorum, 2) << role.name;
        EXPECT_EQ(role.members.size(), 3U) << role.name;
    }
    const auto keys = model::facts_of(plan.find("turn/g1/turn")->preconditions, plan, "g1");
    EXPECT_EQ(keys, (Names{"g1/ready", "g2/ready", "g3/ready"}));
}

// Nobody brings it up on the way: then it is asked for, and says no.
TEST(Sides, a_member_that_is_down_and_left_alone_is_asked_for) {
    for (const bool is_down : {false, true}) {
        Fixture site = beside_site();
        if (is_down) {
            stop(site, "g1");
        }
        const auto plan = plan_of(site);
        const auto up = run::members_up(plan, run::State(plan.actions.size()));
        EXPECT_EQ(up.at("server@target"), Names{"g1"});
        const model::FactBook none;
        const auto& guard = plan.find("turn/g1/turn")->preconditions.front();
        EXPECT_EQ(model::evaluate(guard, {site.facts, none, none, up, "g1"}).outcome,
                  is_down ? model::Truth::no : model::Truth::yes);
    }
}

// Behind a finished hop the old side stands on the old release, and counts for nothing.
TEST(Sides, where_the_cluster_stands_is_told_by_the_one_that_serves) {
    Fixture site = beside_site();
    const auto stands = [&] {
        return current_version(site.pack, site.cluster, site.facts, "3.0").value();
    };
    EXPECT_EQ(stands(), "1.0");
    site.set("", "serving", "green");
    EXPECT_EQ(stands(), "2.0");
}

TEST(Sides, change_places_on_the_way_back) {
    Fixture site = beside_site();
    site.set("", "serving", "green");
    const auto back = plan_of(site, "downgrade", "2.0", "1.0");
    EXPECT_EQ(members_of(back, "server@source"), Names{"g1"});
    EXPECT_EQ(members_of(back, "server@target"), Names{"b1"});
    ASSERT_NE(back.find("turn/b1/turn"), nullptr);
    EXPECT_EQ(back.find("turn/b1/turn")->effects.front().value, Json("blue"));
}

// The new side is not up yet, or runs the old release, too.
TEST(Sides, are_told_by_what_runs_and_then_by_who_serves) {
    Fixture site = beside_site();
    stop(site, "g1");
    EXPECT_EQ(members_of(plan_of(site), "server@source"), Names{"b1"});
    install(site, "g1", "1.0");
    start(site, "g1", "1.0");
    EXPECT_EQ(members_of(plan_of(site), "server@source"), Names{"b1"});
    site.set("", "serving", "green");
    EXPECT_EQ(members_of(plan_of(site), "server@source"), Names{"g1"});
    site.set("", "serving", "an address of nobody");
    const auto refused = compile_on(site, "upgrade", "1.0", "2.0");
    ASSERT_FALSE(refused.plan);
    EXPECT_EQ(refused.problems.front().code, "plan.sides");
}

// `serving` names the old side still, which is the target of the way back.
TEST(Sides, are_told_by_what_is_installed_if_both_are_down) {
    Fixture site = beside_site();
    stop(site, "b1");
    stop(site, "g1");
    EXPECT_EQ(members_of(plan_of(site), "server@source"), Names{"b1"});
    const auto back = plan_of(site, "downgrade", "2.0", "1.0");
    EXPECT_EQ(members_of(back, "server@source"), Names{"g1"});
}

// Another role of the pack is there alone: the steps of roles with sides vanish.
TEST(Sides, are_not_needed_where_no_member_has_one) {
    Fixture site = beside_site();
    site.pack.roles["node"].name = "node";
    site.cluster.members.pop_back();
    site.cluster.members.front().role = "node";
    site.cluster.members.front().side.clear();
    const auto plan = plan_of(site);
    EXPECT_EQ(members_of(plan, "node"), Names{"b1"});
    EXPECT_EQ(members_of(plan, "server@source"), Names());
    EXPECT_EQ(members_of(plan, "server@target"), Names());
    EXPECT_TRUE(plan.stores.empty());
    EXPECT_TRUE(plan.actions.empty());
}

// Facts, stores and the laws of both.
TEST(Sides, keep_stores_of_their_own) {
    Names stores;
    for (const model::PlanStore& store : plan_of(beside_site()).stores) {
        stores.push_back(store.name + " of " + store.role);
    }
    EXPECT_EQ(stores, (Names{"data@source of server@source", "data@target of server@target"}));
}

}  // namespace
}  // namespace drydock::planner
