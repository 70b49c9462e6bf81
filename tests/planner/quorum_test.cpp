// Quorums that are no majority of all: numbers, groups by a label, domains, voters. Each in the
// plan's roles, and in the guard of a stop.
#include "planner/plan_of.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using model::QuorumKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Names = std::vector<std::string>;

// A serial roll over m1, m2, ... with that quorum. The operator allows everybody to be down.
Fixture site_with(const model::QuorumRule& rule, int members) {
    Fixture site = small_site("when-all", members, "1.0");
    site.pack.roles.at("node").quorum = rule;
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        for (model::PhaseSpec& phase : procedure.phases) {
            phase.steps.front().quorum_without = model::Reach::member;
        }
    }
    site.cluster.policy.max_unavailable = members;
    return site;
}

// Gives the members a label's values in turn: of two, m1 and m2 have the first.
void label(Fixture& site, const std::string& name, const Names& values, std::size_t members) {
    for (std::size_t i = 0; i < site.cluster.members.size(); ++i) {
        site.cluster.members[i].labels[name] = values[i / members];
    }
}

// Adds a fact that tells who votes; only these members do.
void let_vote(Fixture& site, const Names& voters) {
    model::FactSpec fact;
    fact.name = "votes";
    fact.role = "node";
    fact.type = model::FactType::boolean;
    fact.standard_fact = model::StandardFact::voter;
    fact.kind = "command";
    fact.probe = Json(Json::Object{{"argv", Json(Json::Array{"votes"})}});
    site.pack.facts.push_back(fact);
    for (const model::Member& member : site.cluster.members) {
        site.set(member.name, "votes", std::count(voters.begin(), voters.end(), member.name) > 0);
    }
}

const model::PlanRole& role_of(const model::Plan& plan) {
    return plan.roles.front();
}

// Judges the guard of a member's step while some members are not ready.
model::Truth may_do(const model::Plan& plan,
                    Fixture site,
                    const std::string& member,
                    const std::string& step,
                    const Names& down) {
    for (const std::string& name : down) {
        site.set(name, "ready", false);
    }
    const model::FactBook none;
    const auto roster = plan.roster();
    const auto& guard = plan.find("roll/" + member + "/" + step)->preconditions;
    return model::evaluate_all(guard, {site.facts, none, none, roster, member}).outcome;
}

// "m1 without m2: yes" for each of these.
Names answers(const Fixture& site,
              const std::string& member,
              const std::vector<Names>& downs,
              const std::string& step = "stop") {
    const auto plan = plan_of(site);
    Names words;
    for (const Names& down : downs) {
        words.emplace_back(name_of(may_do(plan, site, member, step, down)));
    }
    return words;
}

std::string problems_of(const Fixture& site) {
    return text(compile_on(site, "upgrade", "1.0", "2.0"));
}

TEST(Quorum, of_one_number_stays_a_number) {
    const std::vector<std::pair<model::QuorumRule, int>> rules = {
        {{QuorumKind::none}, 0},
        {{QuorumKind::majority}, 3},
        {{QuorumKind::at_least, 2}, 2},
        {{QuorumKind::all_but, 1}, 4},
        {{QuorumKind::all_but, 7}, 0},
    };
    for (const auto& [rule, quorum] : rules) {
        const auto plan = plan_of(site_with(rule, 5));
        EXPECT_EQ(role_of(plan).quorum, quorum) << name_of(rule.kind);
        EXPECT_THAT(role_of(plan).groups, IsEmpty());
    }
    const Fixture site = site_with({QuorumKind::all_but, 1}, 3);
    EXPECT_THAT(answers(site, "m1", {{}, {"m2"}}), ElementsAre("yes", "no"));
}

TEST(Quorum, within_a_label_is_one_for_each_of_its_values) {
    Fixture site = site_with({QuorumKind::all_but, 1, "shard", ""}, 6);
    label(site, "shard", {"s1", "s2"}, 3);
    const auto plan = plan_of(site);
    EXPECT_EQ(role_of(plan).quorum, 0);
    ASSERT_EQ(role_of(plan).groups.size(), 2U);
    EXPECT_EQ(role_of(plan).groups[1].name, "shard s2");
    EXPECT_THAT(role_of(plan).groups[1].members, ElementsAre("m4", "m5", "m6"));
    EXPECT_THAT(role_of(plan).groups[1].domains, IsEmpty());
    EXPECT_THAT(answers(site, "m1", {{}, {"m2"}, {"m5", "m6"}}), ElementsAre("yes", "no", "yes"));
}

// Whoever is in the domain of the one that is stopped does not count.
TEST(Quorum, by_domains_counts_them_as_one) {
    Fixture site = site_with({QuorumKind::all_but, 1, "", "rack"}, 6);
    label(site, "rack", {"r1", "r2", "r3"}, 2);
    const auto plan = plan_of(site);
    ASSERT_EQ(role_of(plan).groups.size(), 1U);
    EXPECT_THAT(role_of(plan).groups[0].domains, ElementsAre("r1", "r1", "r2", "r2", "r3", "r3"));
    EXPECT_THAT(answers(site, "m1", {{}, {"m2"}, {"m3"}}), ElementsAre("yes", "yes", "no"));
    site.pack.roles.at("node").quorum.count = 2;
    EXPECT_THAT(answers(site, "m1", {{"m2"}, {"m3"}, {"m3", "m5"}}),
                ElementsAre("yes", "yes", "no"));
}

TEST(Quorum, counts_voters_only) {
    Fixture site = site_with({QuorumKind::majority}, 4);
    let_vote(site, {"m1", "m2", "m3"});
    EXPECT_EQ(role_of(plan_of(site)).quorum, 0);
    ASSERT_EQ(role_of(plan_of(site)).groups.size(), 1U);
    EXPECT_THAT(answers(site, "m1", {{}, {"m4"}, {"m2"}}), ElementsAre("yes", "yes", "no"));
    EXPECT_THAT(answers(site, "m4", {{}, {"m1"}}), ElementsAre("yes", "yes"));
    site.cluster.policy.max_unavailable = 1;
    EXPECT_THAT(answers(site, "m4", {{}, {"m1"}, {"m1", "m2"}}), ElementsAre("yes", "yes", "no"));
}

// Of whom nobody knows whether they vote: the quorum may be that of all.
TEST(Quorum, asks_more_where_a_voter_is_not_known) {
    Fixture site = site_with({QuorumKind::majority}, 5);
    let_vote(site, {"m1", "m2", "m3"});
    EXPECT_THAT(answers(site, "m1", {{}, {"m4"}}), ElementsAre("yes", "yes"));
    site.set_unknown("m4", "votes");
    site.set_unknown("m5", "votes");
    EXPECT_THAT(answers(site, "m1", {{"m4"}, {"m4", "m5"}}), ElementsAre("yes", "no"));
}

// A step before makes m2 a voter no more: the guards behind it do not count it.
TEST(Quorum, follows_voters_that_leave) {
    Fixture site = site_with({QuorumKind::majority}, 3);
    let_vote(site, {"m1", "m2", "m3"});
    EXPECT_THAT(answers(site, "m3", {{}, {"m2"}}), ElementsAre("yes", "no"));
    model::PhaseSpec retire;
    retire.name = "retire";
    model::StepSpec step;
    step.id = "leave";
    step.verb = model::Verb::run;
    step.selection = model::Selection{};
    step.selection->role = "node";
    step.effects = {{model::EffectKind::becomes, "votes", false, "node", model::Reach::member}};
    step.request = Json(Json::Object{{"kind", Json("command")}});
    step.selection->filter = {
        {.fact = "installed", .role = "node", .quantifier = model::Quantifier::self}};
    step.selection->filter.front().operand = "0.9";
    retire.steps = {step};
    site.set("m2", "installed", "1.0");
    auto& procedures = site.pack.procedures;
    for (model::ProcedureSpec& procedure : procedures) {
        procedure.phases.insert(procedure.phases.begin(), retire);
    }
    EXPECT_THAT(answers(site, "m3", {{"m2"}}), ElementsAre("no"));
    for (model::ProcedureSpec& procedure : procedures) {
        procedure.phases.front().steps.front().selection->filter.clear();
    }
    EXPECT_THAT(answers(site, "m3", {{"m1", "m2"}}), ElementsAre("yes"));
}

// Adds a step to each block that takes the vote of its member.
Fixture leaving_site(bool before_the_stop) {
    Fixture site = site_with({QuorumKind::majority}, 5);
    let_vote(site, {"m1", "m2", "m3", "m4", "m5"});
    model::StepSpec step;
    step.id = "leave";
    step.verb = model::Verb::run;
    step.effects = {{model::EffectKind::becomes, "votes", false, "node", model::Reach::member}};
    step.request = Json(Json::Object{{"kind", Json("command")}});
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        auto& steps = procedure.phases.front().steps;
        steps.insert(before_the_stop ? steps.begin() : steps.end(), step);
        procedure.phases.front().steps[before_the_stop ? 1 : 0].quorum_without =
            model::Reach::member;
    }
    return site;
}

// Of five, two blocks before have left three voters: m3 may go only if both others are ready.
TEST(Quorum, follows_votes_that_blocks_before_take_away) {
    EXPECT_THAT(answers(leaving_site(false), "m3", {{}, {"m4"}, {"m1"}}),
                ElementsAre("yes", "no", "yes"));
    EXPECT_THAT(answers(leaving_site(false), "m1", {{"m4"}, {"m4", "m5"}}),
                ElementsAre("yes", "no"));
}

// A member whose own vote was taken in its block is missed by nobody.
TEST(Quorum, follows_votes_that_steps_of_its_block_take_away) {
    EXPECT_THAT(answers(leaving_site(true), "m2", {{}, {"m3"}, {"m3", "m4", "m5"}}),
                ElementsAre("yes", "yes", "yes"));
}

// Asks for the quorum where the vote is taken, and not at the stop.
Fixture retiring_site(int members) {
    Fixture site = leaving_site(true);
    while (static_cast<int>(site.cluster.members.size()) > members) {
        site.cluster.members.pop_back();
    }
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        procedure.phases.front().steps[0].quorum_without = model::Reach::member;
        procedure.phases.front().steps[1].quorum_without = std::nullopt;
    }
    return site;
}

// Of three voters two are left, and both must be ready; of two, the one; of one, nobody.
TEST(Quorum, of_a_step_that_takes_a_vote_is_that_of_the_voters_who_are_left) {
    EXPECT_THAT(answers(retiring_site(3), "m1", {{}, {"m2"}}, "leave"), ElementsAre("yes", "no"));
    EXPECT_THAT(answers(retiring_site(3), "m2", {{}, {"m1"}, {"m3"}}, "leave"),
                ElementsAre("yes", "yes", "no"));
    EXPECT_THAT(answers(retiring_site(2), "m1", {{}, {"m2"}}, "leave"), ElementsAre("yes", "no"));
}

// Behind the last vote nobody could decide anything, whoever is ready.
TEST(Quorum, keeps_the_last_vote) {
    EXPECT_THAT(answers(retiring_site(3), "m3", {{}}, "leave"), ElementsAre("no"));
    EXPECT_THAT(answers(retiring_site(2), "m2", {{}}, "leave"), ElementsAre("no"));
}

// Each counts as a voter then, and the plan says so.
TEST(Quorum, says_that_no_voter_is_known) {
    Fixture site = site_with({QuorumKind::majority}, 3);
    let_vote(site, {"m1", "m2", "m3"});
    for (const char* member : {"m1", "m2", "m3"}) {
        EXPECT_THAT(plan_of(site).notes,
                    testing::Not(testing::Contains(HasSubstr("nobody knows who"))));
        site.set_unknown(member, "votes");
    }
    EXPECT_THAT(plan_of(site).notes,
                testing::Contains(
                    HasSubstr("nobody knows who of role node votes: `votes` was read of none")));
}

// Blocks beside each other do not wait for each other's steps: their votes still count.
TEST(Quorum, counts_votes_that_steps_beside_it_take_away) {
    Fixture site = leaving_site(false);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        if (auto& selection = procedure.phases.front().selection) {
            selection->order = model::Order::all;
        }
    }
    EXPECT_THAT(answers(site, "m3", {{"m4"}, {"m4", "m5"}}), ElementsAre("yes", "no"));
}

// By host, all units of the host are lost at once.
TEST(Quorum, of_a_host_loses_all_units_there) {
    Fixture site = site_with({QuorumKind::all_but, 2, "shard", ""}, 4);
    label(site, "shard", {"s1"}, 4);
    for (const char* name : {"m3", "m4"}) {
        site.cluster.hosts[name] = site.cluster.hosts.at("here");
        site.cluster.members[static_cast<std::size_t>(name[1] - '1')].host = name;
    }
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        procedure.phases.front().steps.front().quorum_without = model::Reach::host;
    }
    EXPECT_THAT(answers(site, "m1", {{}, {"m2"}, {"m3"}}), ElementsAre("yes", "yes", "no"));
    EXPECT_THAT(answers(site, "m3", {{}, {"m2"}, {"m1", "m2"}}), ElementsAre("yes", "yes", "no"));
}

TEST(Quorum, is_refused_where_nobody_of_a_group_may_be_stopped) {
    Fixture site = site_with({QuorumKind::majority, 0, "shard", ""}, 4);
    label(site, "shard", {"s1", "s2"}, 3);
    EXPECT_THAT(problems_of(site),
                HasSubstr("shard s2 of role node has 1 member and a majority of 1: none may ever"));
    site.pack.roles.at("node").quorum = {QuorumKind::at_least, 2, "", "shard"};
    EXPECT_THAT(problems_of(site), HasSubstr("role node has 2 shards and must always have 2"));
    site.pack.roles.at("node").quorum = {QuorumKind::at_least, 4, "", ""};
    EXPECT_THAT(problems_of(site), HasSubstr("role node has 4 members and must always have 4"));
    let_vote(site, {"m1", "m2"});
    site.pack.roles.at("node").quorum = {QuorumKind::majority};
    EXPECT_THAT(problems_of(site), HasSubstr("role node has 2 voters and a majority of 2"));
}

TEST(Quorum, needs_the_label_of_every_member) {
    Fixture site = site_with({QuorumKind::majority, 0, "", "rack"}, 3);
    label(site, "rack", {"r1", "r2", "r3"}, 1);
    EXPECT_TRUE(problems_of(site).empty());
    site.cluster.members[1].labels.clear();
    EXPECT_THAT(problems_of(site), HasSubstr("m2 has no label `rack`"));
}

}  // namespace
}  // namespace drydock::planner
