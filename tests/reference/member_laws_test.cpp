// The reference explorer under the laws of members: quorums, readiness, and who leads.
#include "reference/small_plan.h"

#include <gtest/gtest.h>

namespace drydock::reference {
namespace {

using checker::Faults;
using model::FormatTrigger;
using model::QuorumKind;
using model::StandardFact;
using model::Verb;

constexpr Faults k_death_only = {0, 0, 0, 1, 0};

TEST(LawsOfMembers, QuorumOfDomains) {
    for (const bool both : {true, false}) {
        SmallPlan small(3);
        small.plan.kind = "rolling";
        small.plan.roles.front().groups = {
            {"", QuorumKind::all_but, 1, {"n1", "n2", "n3"}, {"east", "east", "west"}}};
        small.stop("n1");
        small.stop(both ? "n3" : "n2");
        EXPECT_NE(small.broken().find(both ? "quorum" : "stuck"), std::string::npos);
        EXPECT_EQ(small.broken().find("quorum") != std::string::npos, both);
    }
}

TEST(LawsOfMembers, QuorumOfVoters) {
    for (const bool votes : {true, false}) {
        SmallPlan small(3);
        small.plan.kind = "rolling";
        small.plan.roles.front().groups = {{"", QuorumKind::majority, 0, {"n1", "n2", "n3"}, {}}};
        small.fact("n3", "votes", StandardFact::voter, votes);
        small.stop("n3");
        small.roll("n1");
        small.roll("n2");
        small.install("n3");
        small.start("n3");
        // Of two that vote, none may go.
        EXPECT_EQ(small.broken(), "quorum");
        small.plan.roles.front().groups.front().kind = QuorumKind::all_but;
        small.plan.roles.front().groups.front().count = 1;
        EXPECT_EQ(small.broken(), votes ? "quorum" : "nothing");
    }
}

// The vote is away while the step is under way only. Of two that vote then, none may go.
TEST(LawsOfMembers, QuorumWithoutAVoteMeanwhile) {
    for (const bool beside : {true, false}) {
        SmallPlan small(3);
        small.plan.kind = "rolling";
        small.plan.roles.front().groups = {{"", QuorumKind::majority, 0, {"n1", "n2", "n3"}, {}}};
        for (const char* member : {"n1", "n2", "n3"}) {
            small.fact(member, "votes", StandardFact::voter, true);
        }
        small.add(Verb::run, "n3").meanwhile = {{model::EffectKind::becomes, "n3", "votes", false}};
        small.stop("n1");
        if (beside) {
            small.plan.actions.back().predecessors.clear();
        }
        small.install("n1");
        small.start("n1");
        small.roll("n2");
        small.roll("n3");
        EXPECT_EQ(small.broken(), beside ? "quorum" : "nothing");
    }
}

// The step itself leaves too few votes, and the end of it would not.
TEST(LawsOfMembers, LastVoteThatIsAwayMeanwhile) {
    for (const bool alone : {true, false}) {
        SmallPlan small(2);
        small.plan.kind = "rolling";
        small.plan.roles.front().groups = {{"", QuorumKind::majority, 0, {"n1", "n2"}, {}}};
        small.fact("n1", "votes", StandardFact::voter, true);
        small.fact("n2", "votes", StandardFact::voter, !alone);
        small.add(Verb::run, "n1").meanwhile = {{model::EffectKind::becomes, "n1", "votes", false}};
        EXPECT_EQ(small.broken().find("quorum") != std::string::npos, alone);
    }
}

TEST(LawsOfMembers, WhoRetiresMayBeDownAtTheEnd) {
    for (const bool leaves : {true, false}) {
        SmallPlan small(2);
        small.plan.kind = "rolling";
        small.fact("n1", "votes", StandardFact::voter, true);
        small.roll("n2");
        if (leaves) {
            small.becomes("n1", "votes", false);
        }
        small.stop("n1");
        EXPECT_EQ(small.broken(), leaves ? "nothing" : "stuck");
    }
}

TEST(LawsOfMembers, ReadyTogetherOnly) {
    for (const int together : {2, 1}) {
        SmallPlan small = all_stopped_first(2);
        small.plan.roles.front().ready_with = together;
        small.start("n1").postconditions = {ready_self()};
        small.plan.actions.back().remedy = "";
        small.start("n2").postconditions = {ready_self()};
        EXPECT_EQ(small.broken(), together == 2 ? "stuck" : "nothing");
    }
}

// A restart gives up the lead, and the old one may take over. A start of one that runs does not.
TEST(LawsOfMembers, StartOfALeaderThatRuns) {
    for (const Verb again : {Verb::start, Verb::restart}) {
        SmallPlan small(2);
        small.store(FormatTrigger::on_lead, true).leader_only = true;
        small.fact("n1", "leads", StandardFact::leads, false);
        small.fact("n2", "leads", StandardFact::leads, true);
        small.roll("n1");
        small.becomes("n1", "leads", true);
        small.moves(again, "n1", "2.0");
        small.roll("n2");
        EXPECT_EQ(small.broken(), again == Verb::start ? "nothing" : "unreadable-start");
    }
}

// The old one leads again when the new leader dies, and opens what the new one has raised.
TEST(LawsOfMembers, OldReleaseThatComesToLeadAgain) {
    for (const bool on_lead : {true, false}) {
        SmallPlan small(2);
        small.store(on_lead ? FormatTrigger::on_lead : FormatTrigger::when_all, true).leader_only =
            true;
        small.fact("n1", "leads", StandardFact::leads, true);
        small.fact("n2", "leads", StandardFact::leads, false);
        small.roll("n1");
        small.roll("n2");
        EXPECT_EQ(small.broken(), "nothing");
        // n1 leads once n2 has stopped. If n1 dies then, a person starts n2 again.
        EXPECT_EQ(small.broken(k_death_only), on_lead ? "unreadable-start" : "nothing");
    }
}

TEST(LawsOfMembers, LastOldOneCannotStartAgain) {
    for (const bool raises : {true, false}) {
        SmallPlan small(2);
        small.store(raises ? FormatTrigger::when_all_running : FormatTrigger::when_all, true);
        small.roll("n1");
        small.moves(Verb::stop, "n2", {});
        small.moves(Verb::start, "n2", "1.0");
        small.roll("n2");
        EXPECT_EQ(small.broken(), raises ? "unreadable-start" : "nothing");
    }
}

}  // namespace
}  // namespace drydock::reference
