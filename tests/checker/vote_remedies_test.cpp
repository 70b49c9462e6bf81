// What a person is told of steps that move votes: each advice fits what the step does.
#include "checker/law_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using model::QuorumKind;
using model::StandardFact;
using model::Verb;
using testing::HasSubstr;

// All vote but those that are named; a majority of the voters must be ready.
LawPlan voting(const std::string& silent = "") {
    LawPlan law(3);
    law.plan.roles.front().groups = {{.name = "",
                                      .kind = QuorumKind::majority,
                                      .count = 0,
                                      .members = {"m1", "m2", "m3"},
                                      .domains = {}}};
    for (const char* member : {"m1", "m2", "m3"}) {
        law.fact(member, "voter", member != silent, StandardFact::voter);
    }
    return law;
}

model::Action& act_on_votes(LawPlan& law, const std::vector<std::string>& members, bool gives) {
    model::Action& action = law.act("move votes", Verb::run, "m1");
    for (const std::string& member : members) {
        action.effects.push_back(becomes(member, "voter", gives));
    }
    return action;
}

// The first of these is the quorum's.
Violation quorum_violation(const LawPlan& law) {
    const Report report = check_law(law.plan, {0, 0, 0, 0, 0});
    EXPECT_THAT(broken(report), testing::StartsWith("quorum")) << text(report);
    return report.violations.empty() ? Violation() : report.violations.front();
}

TEST(VoteRemedies, SeveralVotesAreTakenOneByOne) {
    LawPlan law = voting();
    act_on_votes(law, {"m1", "m2", "m3"}, false);
    EXPECT_THAT(quorum_violation(law).hint, HasSubstr("leave enough members their votes"));
    LawPlan meanwhile = voting();
    model::Action& action = act_on_votes(meanwhile, {"m1", "m2", "m3"}, false);
    std::swap(action.effects, action.meanwhile);
    EXPECT_THAT(quorum_violation(meanwhile).hint, HasSubstr("leave enough members their votes"));
}

TEST(VoteRemedies, OthersVoteBeforeTheLastVoteGoes) {
    LawPlan law = voting("m1");
    law.plan.bound_facts["m2/voter"].value = false;
    act_on_votes(law, {"m3"}, false);
    EXPECT_THAT(quorum_violation(law).hint, HasSubstr("let others vote before this step"));
}

// Where no later step starts the member, there is no place behind its start.
TEST(VoteRemedies, AVoteForOneThatIsDownWaitsForItsStart) {
    for (const bool is_started : {true, false}) {
        LawPlan law = voting("m3");
        law.down("m3");
        law.down("m2");
        law.plan.roles.front().groups.front().kind = QuorumKind::all_but;
        law.plan.roles.front().groups.front().count = 1;
        act_on_votes(law, {"m3"}, true);
        if (is_started) {
            law.install("m3");
            law.start("m3");
        }
        EXPECT_THAT(quorum_violation(law).hint,
                    HasSubstr(is_started ? "move this step behind its start"
                                         : "let a guard of this step ask that it is ready"));
    }
}

// What the step itself takes down ran before it.
TEST(VoteRemedies, AStoryTellsWhoRanBeforeTheStep) {
    LawPlan law = voting();
    model::Action& action = law.act("repair", Verb::run, "m1");
    action.meanwhile = {becomes("m1", "running", {}), becomes("m2", "running", {})};
    EXPECT_THAT(quorum_violation(law).because, HasSubstr("before it, m1 runs 1.0, m2 runs 1.0"));
}

}  // namespace
}  // namespace drydock::checker
