// Values that a step leaves open (`changes`): no condition holds for them, and none fails. What a
// law reads is refused by the linter; a plan that has it all the same is judged, too.
#include "checker/law_plans.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::checker {
namespace {

using model::EffectKind;
using model::FormatTrigger;
using model::StandardFact;
using model::Verb;

model::Effect changes(const std::string& member, const std::string& fact) {
    return {EffectKind::changes, member, fact, {}};
}

// The plan freezes the system, and thaws it only if the condition holds.
void freeze(LawPlan& law) {
    law.fact("", "frozen", false);
    law.plan.temporaries = {{"frozen", law.plan.bound_facts["frozen"]}};
    law.act("freeze", Verb::run, "m1").effects = {becomes("", "frozen", true)};
}

void thaw_if(LawPlan& law, const model::Condition& condition) {
    model::Action& thaw = law.act("thaw", Verb::run, "m1");
    thaw.effects = {becomes("", "frozen", false)};
    thaw.applies_if = {condition};
}

// The thaw asks that the mode is on. A step before it sets the mode, or only touches it.
LawPlan mode_asked(const std::vector<model::Effect>& touched) {
    LawPlan law(1);
    law.fact("", "mode", "on");
    freeze(law);
    law.act("set", Verb::run, "m1").effects = {becomes("", "mode", "on")};
    law.act("touch", Verb::run, "m1").effects = touched;
    thaw_if(law, is("mode", "on", false));
    law.roll("m1");
    return law;
}

TEST(OpenValues, AConditionMayFail) {
    const Report open = check_law(mode_asked({changes("", "mode")}).plan);
    EXPECT_EQ(broken(open), "left-behind") << text(open);
    const Report known = check_law(mode_asked({becomes("", "mode", "on")}).plan);
    EXPECT_EQ(broken(known), "nothing") << text(known);
}

TEST(OpenValues, AConditionBeforeThemDoesNotFail) {
    LawPlan law = mode_asked({});
    law.act("touch late", Verb::run, "m1").effects = {changes("", "mode")};
    const Report report = check_law(law.plan);
    EXPECT_EQ(broken(report), "nothing") << text(report);
}

TEST(OpenValues, AStepMayTellThemAgain) {
    LawPlan law = mode_asked({becomes("", "mode", "on")});
    law.plan.actions[1].effects = {changes("", "mode")};
    const Report report = check_law(law.plan);
    EXPECT_EQ(broken(report), "nothing") << text(report);
}

TEST(OpenValues, StayWhereAStepIsCutOff) {
    LawPlan law = mode_asked({});
    law.plan.actions[2].meanwhile = {changes("", "mode")};
    law.plan.actions[2].optional = true;
    law.plan.actions[2].attempts = 1;
    EXPECT_EQ(broken(check_law(law.plan, {0, 0, 0, 0, 0})), "nothing");
    EXPECT_EQ(broken(check_law(law.plan, {2, 0, 0, 0, 0})), "left-behind");
}

// No other step moves the mode: it is as the survey has found it when the step has ended well.
TEST(OpenValues, AreToldAgainWhenTheStepHasEnded) {
    LawPlan law(1);
    law.fact("", "mode", "on");
    freeze(law);
    law.act("touch", Verb::run, "m1").meanwhile = {changes("", "mode")};
    thaw_if(law, is("mode", "on", false));
    law.roll("m1");
    EXPECT_EQ(broken(check_law(law.plan)), "nothing");
    law.plan.actions[1].optional = true;
    law.plan.actions[1].attempts = 1;
    EXPECT_EQ(broken(check_law(law.plan, {2, 0, 0, 0, 0})), "left-behind");
}

TEST(OpenValues, ATemporaryFactIsLeftBehind) {
    LawPlan law(1);
    law.fact("", "frozen", false);
    law.plan.temporaries = {{"frozen", law.plan.bound_facts["frozen"]}};
    law.act("touch", Verb::run, "m1").effects = {changes("", "frozen")};
    law.roll("m1");
    const Report report = check_law(law.plan);
    EXPECT_EQ(broken(report), "left-behind") << text(report);
}

TEST(OpenValues, AVoteThatIsOpenIsNone) {
    LawPlan law(1);
    law.plan.roles.front().groups = {{.name = "",
                                      .kind = model::QuorumKind::majority,
                                      .count = 0,
                                      .members = {"m1"},
                                      .domains = {}}};
    law.fact("m1", "voter", true, StandardFact::voter);
    law.act("touch", Verb::run, "m1").effects = {changes("m1", "voter")};
    const Report report = check_law(law.plan);
    EXPECT_THAT(broken(report), testing::HasSubstr("quorum")) << text(report);
}

// A probe that asks what nobody can tell may say "no" though the step ran, and it runs again.
TEST(OpenValues, AProbeOfThemMayBeWrong) {
    for (const bool is_told : {true, false}) {
        LawPlan law(1);
        law.fact("", "rev", "1");
        model::Action& alter = law.act("alter", Verb::run, "m1");
        alter.effects = {is_told ? becomes("", "rev", "2") : changes("", "rev")};
        alter.repeatable = model::Repeatable::no;
        alter.completion_check = {is("rev", "2", false)};
        law.roll("m1");
        EXPECT_EQ(broken(check_law(law.plan, {1, 1, 1, 0, 0})), is_told ? "nothing" : "twice");
        EXPECT_EQ(broken(check_law(law.plan, {0, 1, 1, 0, 0})), "nothing");
    }
}

// Nobody moves it, and the survey did not find it: nothing is known of such a fact.
TEST(OpenValues, AProbeOfAnUnknownFactMayBeWrong) {
    LawPlan law(1);
    model::Action& alter = law.act("alter", Verb::run, "m1");
    alter.repeatable = model::Repeatable::no;
    alter.completion_check = {is("rev", "2", false)};
    law.roll("m1");
    EXPECT_EQ(broken(check_law(law.plan, {1, 1, 1, 0, 0})), "twice");
}

// A level follows its store.
TEST(OpenValues, ALevelBesideItsStoreIsNotOpen) {
    for (const bool beside : {true, false}) {
        LawPlan law(1);
        law.fact("", "level", "1");
        law.store(true, FormatTrigger::on_migrate).levels = {"level"};
        freeze(law);
        law.gate();
        law.roll("m1");
        model::Action& migrate = law.act("migrate", Verb::migrate, "m1");
        migrate.effects = {changes("", "level")};
        if (beside) {
            migrate.effects.push_back(on_store(EffectKind::raises));
        }
        thaw_if(law, is("level", "2", false));
        const Report report = check_law(law.plan);
        EXPECT_EQ(broken(report), beside ? "nothing" : "left-behind") << text(report);
    }
}

}  // namespace
}  // namespace drydock::checker
