// The point of no return of every kind of law (docs/packs.md), on small packs of tests/packs.
#include "planner/fixture.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;

model::Plan plan_of(const Fixture& site, const std::string& procedure = "upgrade") {
    auto compiled = site.compile("1.0", "2.0", procedure);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

// "roll/m3/start behind roll/gate": the closing action, and the gate of the point of no return.
std::string point_of(const model::Plan& plan) {
    const model::ReturnPoint& point = plan.point_of_no_return;
    std::string gates;
    for (const model::Action& action : plan.actions) {
        gates += action.is_point_of_no_return ? " behind " + action.id : "";
    }
    return point.exists ? point.action + gates : "none" + gates;
}

// What directly waits for an action.
std::vector<std::string> behind(const model::Plan& plan, const std::string& id) {
    std::vector<std::string> found;
    for (const model::Action& action : plan.actions) {
        for (const std::size_t before : action.predecessors) {
            if (plan.actions[before].id == id) {
                found.push_back(action.id);
            }
        }
    }
    return found;
}

std::vector<std::string> before(const model::Plan& plan, const std::string& id) {
    std::vector<std::string> found;
    for (const std::size_t one : plan.find(id)->predecessors) {
        found.push_back(plan.actions[one].id);
    }
    return found;
}

int gates_of(const model::Plan& plan) {
    return static_cast<int>(
        std::count_if(plan.actions.begin(), plan.actions.end(), [](const model::Action& action) {
            return action.is_gate();
        }));
}

TEST(ReturnPoint, WhenAllSerialIsTheLastStart) {
    const auto plan = plan_of(small_site("when-all", 3, "1.0"), "serial");
    EXPECT_EQ(point_of(plan), "roll/m3/start behind roll/gate");
    EXPECT_THAT(before(plan, "roll/gate"), ElementsAre("roll/m2/start"));
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m3/stop"));
    EXPECT_EQ(plan.find("roll/gate")->soak_ms, 60'000);
}

TEST(ReturnPoint, WhenAllAtOnceHasTheGateBeforeEveryone) {
    const auto plan = plan_of(small_site("when-all", 3, "1.0"), "all");
    EXPECT_EQ(point_of(plan), "roll/m1/start behind roll/gate");
    EXPECT_THAT(before(plan, "roll/gate"), ElementsAre());
    EXPECT_THAT(behind(plan, "roll/gate"),
                ElementsAre("roll/m1/stop", "roll/m2/stop", "roll/m3/stop"));
}

TEST(ReturnPoint, WhenAllInBatchesIsTheLastBatch) {
    const auto plan = plan_of(small_site("when-all", 4, "1.0"), "batch");
    EXPECT_EQ(point_of(plan), "roll/m3/start behind roll/gate");
    EXPECT_THAT(before(plan, "roll/gate"), ElementsAre("roll/m1/start", "roll/m2/start"));
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m3/stop", "roll/m4/stop"));
    const auto odd = plan_of(small_site("when-all", 5, "1.0"), "batch");
    EXPECT_EQ(point_of(odd), "roll/m5/start behind roll/gate");
    EXPECT_THAT(behind(odd, "roll/gate"), ElementsAre("roll/m5/stop"));
}

// Everybody is stopped before anybody starts: nobody is down while a person is waited for.
TEST(ReturnPoint, WhenAllOfflineHasTheGateBeforeTheOutage) {
    const auto plan = plan_of(small_site("when-all", 3, "1.0"), "offline");
    EXPECT_EQ(point_of(plan), "roll/m3/start behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"),
                ElementsAre("roll/m1/stop", "roll/m2/stop", "roll/m3/stop"));
}

TEST(ReturnPoint, AMemberThatIsDoneIsNotWaitedFor) {
    for (const char* done : {"m1", "m2", "m3"}) {
        Fixture site = small_site("when-all", 3, "1.0");
        install(site, done, "2.0");
        start(site, done, "2.0");
        const std::string last = std::string(done) == "m3" ? "m2" : "m3";
        const auto plan = plan_of(site, "serial");
        EXPECT_EQ(point_of(plan), "roll/" + last + "/start behind roll/gate") << done;
        EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/" + last + "/stop")) << done;
    }
}

// It runs the new release, but its link was turned back: it is handled from the front, and the law
// can fire while it still runs.
TEST(ReturnPoint, AMemberThatRunsTheNewReleaseOnAnOldLinkCounts) {
    Fixture site = small_site("when-all", 3, "1.0");
    start(site, "m3", "2.0");
    const auto plan = plan_of(site, "serial");
    EXPECT_NE(plan.find("roll/m3/stop"), nullptr);
    EXPECT_EQ(point_of(plan), "roll/m2/start behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m2/stop"));
}

TEST(ReturnPoint, NobodyIsAskedWhenEveryoneRunsItAlready) {
    Fixture site = small_site("when-all", 2, "1.0");
    for (const char* member : {"m1", "m2"}) {
        install(site, member, "2.0");
        start(site, member, "2.0");
    }
    const auto plan = plan_of(site, "serial");
    EXPECT_EQ(point_of(plan), "none");
    EXPECT_THAT(plan.notes.back(), HasSubstr("data may rise to 2 at any moment"));
}

TEST(ReturnPoint, OnFinalizeIsTheCommand) {
    const auto plan = plan_of(small_site("finalize", 3, "1.0"));
    EXPECT_EQ(point_of(plan), "finalize/m1/convert behind finalize/gate");
    EXPECT_THAT(before(plan, "finalize/gate"), ElementsAre("roll/m3/start"));
}

TEST(ReturnPoint, OnStartIsTheFirstStart) {
    const auto plan = plan_of(small_site("linked", 3, "1.0"));
    EXPECT_EQ(point_of(plan), "roll/m1/start behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m1/stop"));
    EXPECT_THAT(before(plan, "roll/gate"), ElementsAre());
}

TEST(ReturnPoint, AStoreThatIsKeptHasNone) {
    const auto plan = plan_of(small_site("copied", 1, "1.0"));
    EXPECT_EQ(point_of(plan), "none");
    EXPECT_TRUE(plan.laws.empty());
    EXPECT_EQ(gates_of(plan), 0);
}

TEST(ReturnPoint, AFormatThatCanBeLoweredHasNone) {
    const auto plan = plan_of(small_site("lowers", 3, "1.0"));
    EXPECT_EQ(point_of(plan), "none");
    ASSERT_EQ(plan.laws.size(), 1U);
    EXPECT_FALSE(plan.laws.front().blocks_downgrade);
}

TEST(ReturnPoint, OnMigrateIsTheFirstStepWithoutAWayDown) {
    const auto plan = plan_of(small_site("migrate", 2, "1.0"));
    EXPECT_EQ(point_of(plan), "migrate/m1/drop-column behind rest/gate");
    EXPECT_THAT(behind(plan, "rest/gate"), ElementsAre("rest/m1/stop", "rest/m2/stop"));
}

TEST(ReturnPoint, OfTwoStoresTheOneThatClosesFirstCounts) {
    const auto plan = plan_of(small_site("two-stores", 2, "1.0"));
    EXPECT_EQ(point_of(plan), "roll/m1/start behind roll/gate");
    EXPECT_EQ(plan.point_of_no_return.store, "data");
    EXPECT_EQ(gates_of(plan), 1);
}

TEST(ReturnPoint, AGateOfThePackInTheRightPlaceIsUsed) {
    for (const char* procedure : {"gate-right", "gate-inside"}) {
        const auto plan = plan_of(small_site("when-all", 3, "1.0"), procedure);
        EXPECT_EQ(gates_of(plan), 1) << procedure;
        EXPECT_EQ(plan.point_of_no_return.gate, "mine") << procedure;
        const bool is_inside = std::string(procedure) == "gate-inside";
        EXPECT_EQ(plan.notes.size(), is_inside ? 1U : 0U) << procedure;
        EXPECT_THAT(plan.notes, Each(HasSubstr("while 3 members are down"))) << procedure;
    }
}

TEST(ReturnPoint, BesideAGateInTheWrongPlaceOneMoreIsPut) {
    for (const char* place : {"early", "late"}) {
        const auto plan = plan_of(small_site("when-all", 3, "1.0"), std::string("gate-") + place);
        EXPECT_EQ(gates_of(plan), 2) << place;
        EXPECT_EQ(point_of(plan), "roll/m3/start behind roll/gate") << place;
        ASSERT_EQ(plan.notes.size(), 1U) << place;
        EXPECT_THAT(plan.notes.front(), HasSubstr(fmt::format("gate \"{}\"", place)));
    }
}

// Sets the event that raises the new series' format.
Fixture site_of(model::FormatTrigger raises, int members = 3) {
    Fixture site = small_site("when-all", members, "1.0");
    site.pack.releases.at("2.0").laws.at("data").trigger = raises;
    return site;
}

// The last stop of an old one is enough, and a start is the first one that runs at all. A member
// may die meanwhile and be missed by no rule, so the gate stands before the stop of the last but
// one; of two members, before the first.
TEST(ReturnPoint, WhenAllRunningIsTheLastStop) {
    const Fixture site = site_of(model::FormatTrigger::when_all_running);
    const auto plan = plan_of(site, "serial");
    EXPECT_EQ(point_of(plan), "roll/m3/stop behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m2/stop"));
    const auto two = plan_of(site_of(model::FormatTrigger::when_all_running, 2), "serial");
    EXPECT_EQ(point_of(two), "roll/m2/stop behind roll/gate");
    EXPECT_THAT(behind(two, "roll/gate"), ElementsAre("roll/m1/stop"));
    EXPECT_THAT(plan.point_of_no_return.because, HasSubstr("nobody runs anything but 2"));
    EXPECT_EQ(point_of(plan_of(site, "offline")), "roll/m1/start behind roll/gate");
}

TEST(ReturnPoint, OnLeadIsTheFirstStart) {
    const auto plan = plan_of(site_of(model::FormatTrigger::on_lead), "serial");
    EXPECT_EQ(point_of(plan), "roll/m1/start behind roll/gate");
    EXPECT_THAT(plan.point_of_no_return.because, HasSubstr("2 comes to lead"));
}

// It may have fired already, and then no gate helps.
TEST(ReturnPoint, RulesThatMayFireAlreadyHaveNoGate) {
    for (const auto raises :
         {model::FormatTrigger::on_lead, model::FormatTrigger::when_all_running}) {
        Fixture site = site_of(raises);
        stop(site, "m1");
        stop(site, "m2");
        install(site, "m3", "2.0");
        start(site, "m3", "2.0");
        const auto plan = plan_of(site, "serial");
        EXPECT_EQ(point_of(plan), "none") << name_of(raises);
        EXPECT_THAT(plan.notes, testing::Contains(HasSubstr("members run 2 already")));
    }
}

// Adds a step behind the start of each block that raises the format.
Fixture migrated_in_block() {
    Fixture site = site_of(model::FormatTrigger::on_migrate, 2);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        model::StepSpec step;
        step.id = "convert";
        step.verb = model::Verb::migrate;
        step.effects = {{model::EffectKind::raises, "data", {}, "node", model::Reach::member}};
        procedure.phases.back().steps.push_back(step);
    }
    return site;
}

// Nobody is down before the step that closes: the gate waits there, not before the whole block.
TEST(ReturnPoint, GateStandsDirectlyBeforeAStepThatMeetsNobodyDown) {
    const auto plan = plan_of(migrated_in_block(), "serial");
    EXPECT_EQ(point_of(plan), "roll/m1/convert behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m1/convert"));
    EXPECT_THAT(before(plan, "roll/gate"), ElementsAre("roll/m1/start"));
}

// A member that another step of the block takes down is down, whatever the verb is.
TEST(ReturnPoint, GateStandsBeforeTheBlockIfAnybodyIsDownThen) {
    Fixture site = migrated_in_block();
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        model::StepSpec step;
        step.id = "kill";
        step.verb = model::Verb::run;
        step.effects = {{model::EffectKind::becomes, "running", {}, "node", model::Reach::member}};
        auto& steps = procedure.phases.back().steps;
        steps.insert(steps.end() - 1, step);
    }
    const auto plan = plan_of(site, "serial");
    EXPECT_EQ(point_of(plan), "roll/m1/convert behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m1/stop"));
}

// What an install does meanwhile, by a pack that says so.
Fixture meanwhile_site(model::FormatTrigger raises, const model::EffectSpec& effect) {
    Fixture site = site_of(raises);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        for (model::StepSpec& step : procedure.phases.back().steps) {
            if (step.verb == model::Verb::install) {
                step.meanwhile = {effect};
            }
        }
    }
    return site;
}

// The store has the new format from the begin of the first install on: nobody waits for its end.
TEST(ReturnPoint, AFormatThatHoldsMeanwhileClosesAtTheBegin) {
    for (const auto raises : {model::FormatTrigger::when_all, model::FormatTrigger::on_migrate}) {
        const auto plan = plan_of(
            meanwhile_site(raises,
                           {model::EffectKind::raises, "data", {}, "node", model::Reach::member}),
            "serial");
        EXPECT_EQ(point_of(plan), "roll/m1/install behind roll/gate") << name_of(raises);
        EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m1/stop")) << name_of(raises);
    }
}

// While the last one of the old release is taken down, all that run are new.
TEST(ReturnPoint, WhoIsDownMeanwhileClosesAtTheBegin) {
    Fixture site = site_of(model::FormatTrigger::when_all_running);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        auto& steps = procedure.phases.back().steps;
        model::StepSpec step = steps.front();
        step.id = "look";
        step.verb = model::Verb::run;
        step.effects.clear();
        step.meanwhile = {
            {model::EffectKind::becomes, "running", {}, "node", model::Reach::member}};
        steps.insert(steps.begin(), step);
    }
    const auto plan = plan_of(site, "serial");
    EXPECT_EQ(point_of(plan), "roll/m3/look behind roll/gate");
    EXPECT_THAT(behind(plan, "roll/gate"), ElementsAre("roll/m2/look"));
}

// The pack's own gate before the block is as good as one inside it.
TEST(ReturnPoint, AGateOfThePackBeforeTheBlockIsUsed) {
    const auto plan = plan_of(migrated_in_block(), "gate-early");
    EXPECT_EQ(point_of(plan), "roll/m1/convert behind ask/early");
    EXPECT_EQ(gates_of(plan), 1);
}

// The steps of one phase: stop all, and then install and start one after the other.
Fixture outage_over_phases() {
    Fixture site = site_of(model::FormatTrigger::on_start, 2);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        if (procedure.name != "serial") {
            continue;
        }
        procedure.kind = "offline";
        auto stopping = procedure.phases.back();
        stopping.name = "stop";
        stopping.steps.resize(1);
        stopping.selection->order = model::Order::all;
        procedure.phases.back().steps.erase(procedure.phases.back().steps.begin());
        procedure.phases.insert(procedure.phases.begin(), stopping);
    }
    return site;
}

// Adds a gate of the pack's own to a phase of the procedure "serial".
Fixture with_own_gate(Fixture site, std::size_t phase) {
    model::PhaseSpec asking;
    asking.name = "ask";
    model::StepSpec gate;
    gate.id = "own";
    gate.verb = model::Verb::gate;
    gate.title = "it converts";
    asking.steps = {gate};
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        if (procedure.name == "serial") {
            auto& phases = procedure.phases;
            phases.insert(phases.begin() + static_cast<std::ptrdiff_t>(phase), asking);
        }
    }
    return site;
}

// One phase stops all and the next one starts them: the outage is one, and the gate before it.
TEST(ReturnPoint, TheGateStandsBeforeAnOutageOfSeveralPhases) {
    const auto plan = plan_of(outage_over_phases(), "serial");
    EXPECT_EQ(point_of(plan), "roll/m1/start behind stop/gate");
    EXPECT_THAT(behind(plan, "stop/gate"), ElementsAre("stop/m1/stop", "stop/m2/stop"));
}

// Nobody serves again between such a gate and the start: what was approved is what happens.
TEST(ReturnPoint, AGateOfThePackAnywhereInTheOutageIsUsed) {
    for (const std::size_t phase : {0U, 1U}) {
        const auto plan = plan_of(with_own_gate(outage_over_phases(), phase), "serial");
        EXPECT_EQ(point_of(plan), "roll/m1/start behind ask/own") << phase;
        EXPECT_EQ(gates_of(plan), 1) << phase;
    }
}

// Others were restarted since, and a person could have looked at them.
TEST(ReturnPoint, AGateOfThePackBeforeMembersServeAgainIsNotUsed) {
    const auto plan = plan_of(with_own_gate(site_of(model::FormatTrigger::when_all), 0), "serial");
    EXPECT_EQ(point_of(plan), "roll/m3/start behind roll/gate");
    EXPECT_EQ(gates_of(plan), 2);
}

}  // namespace
}  // namespace drydock::planner
