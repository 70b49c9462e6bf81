// The gate of the point of no return where the survey found members down, as after an abort in an
// outage. They count as stopped before their first step: that one installs what they may come up
// as.
#include "planner/plan_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace drydock::planner {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// What waits for the gate of the point of no return, and nothing else in between.
std::vector<std::string> behind_gate(const model::Plan& plan) {
    std::vector<std::string> found;
    for (const model::Action& action : plan.actions) {
        for (const std::size_t before : action.predecessors) {
            if (plan.actions[before].is_point_of_no_return) {
                found.push_back(action.id);
            }
        }
    }
    return found;
}

auto gates_of(const model::Plan& plan) {
    return std::count_if(plan.actions.begin(), plan.actions.end(), [](const model::Action& action) {
        return action.is_gate();
    });
}

// The first start of 2.0 raises the store. One phase installs on all, and the next one starts all.
Fixture installed_ahead(const std::vector<std::string>& down) {
    Fixture site = small_site("linked", 2, "1.0");
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        if (procedure.name != "upgrade") {
            continue;
        }
        auto installing = procedure.phases.back();
        installing.name = "ahead";
        std::erase_if(installing.steps,
                      [](const auto& step) { return step.verb != model::Verb::install; });
        std::erase_if(procedure.phases.back().steps,
                      [](const auto& step) { return step.verb == model::Verb::install; });
        procedure.phases.insert(procedure.phases.begin(), installing);
    }
    for (const std::string& member : down) {
        stop(site, member);
    }
    return site;
}

// One command restarts each member on what was installed right before.
Fixture restarted(const char* pack) {
    Fixture site = small_site(pack, 2, "1.0");
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        for (model::PhaseSpec& phase : procedure.phases) {
            std::erase_if(phase.steps,
                          [](const auto& step) { return step.verb == model::Verb::stop; });
            for (model::StepSpec& step : phase.steps) {
                step.verb = step.verb == model::Verb::start ? model::Verb::restart : step.verb;
            }
        }
    }
    return site;
}

// A gate of the pack's own before the first step.
Fixture with_own_gate(Fixture site) {
    model::PhaseSpec asking;
    asking.name = "ask";
    model::StepSpec gate;
    gate.id = "own";
    gate.verb = model::Verb::gate;
    gate.title = "it converts";
    asking.steps = {gate};
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        procedure.phases.insert(procedure.phases.begin(), asking);
    }
    return site;
}

TEST(FoundDown, GateStandsBeforeTheInstallOfWhoIsDown) {
    EXPECT_THAT(behind_gate(plan_of(installed_ahead({"m1"}))), ElementsAre("ahead/m1/install"));
    EXPECT_THAT(behind_gate(plan_of(installed_ahead({"m2"}))), ElementsAre("ahead/m2/install"));
}

// One member, found down; a step stands between its stop and its install.
Fixture down_before(const std::string& effects) {
    Fixture site = small_site("linked", 1, "1.0");
    const std::string install = "      - install: \"${to}\"\n";
    const std::string step = "      - run: between\n        id: between\n"
                             "        do: {command: {argv: [between]}}\n        effect: "
                             + effects + "\n";
    site.pack =
        changed_pack("tests/packs/linked", "procedures/upgrade.yaml", {{install, step + install}});
    stop(site, "m1");
    return site;
}

Fixture with_level(Fixture site, const Json& level) {
    model::FactSpec fact = site.pack.facts.front();
    fact.name = "level";
    site.pack.facts.push_back(fact);
    site.pack.stores.at("data").level = "level";
    site.set("m1", "level", level);
    return site;
}

// True if the step between stop and install is in the plan.
bool goes_on_between(const Fixture& site) {
    const auto plan = plan_of(site);
    return std::any_of(plan.actions.begin(), plan.actions.end(), [](const auto& action) {
        return action.id == "roll/m1/between";
    });
}

// Nobody saw who stopped the member, so a step that tells nothing was not done.
TEST(FoundDown, GoesOnAtTheFirstStepWhoseEffectIsNotSeen) {
    EXPECT_TRUE(goes_on_between(down_before("[]")));
    const std::string raises = "[{raises: data, own: true}]";
    EXPECT_TRUE(goes_on_between(down_before(raises)));
    EXPECT_TRUE(goes_on_between(with_level(down_before(raises), "1")));
    EXPECT_FALSE(goes_on_between(with_level(down_before(raises), "2")));
}

TEST(FoundDown, FormatThatNobodyTellsIsNoted) {
    const Fixture site = down_before("[{raises: data, own: true}]");
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("m1 is down, and no fact tells")));
    EXPECT_THAT(plan_of(with_level(site, "1")).notes, Not(Contains(HasSubstr("no fact tells"))));
}

// The next move of the member is behind what was to be done before it, but for a conversion that
// the level denies.
TEST(FoundDown, LaterMoveIsBehindTheSteps) {
    Fixture site = down_before("[{raises: data, own: true}]");
    install(site, "m1", "2.0");
    EXPECT_FALSE(goes_on_between(site));
    EXPECT_FALSE(goes_on_between(with_level(site, "2")));
    EXPECT_TRUE(goes_on_between(with_level(site, "1")));
}

// A step on the system in front of the stop, and one behind the start. `writes` is as surveyed.
Fixture switched(const char* writes) {
    Fixture site = small_site("linked", 2, "1.0");
    const auto step = [](const std::string& id) {
        return "      - run: " + id + "\n        id: " + id
               + "\n        do: {command: {argv: [x]}}\n";
    };
    const std::string stop_step = "      - stop: node\n";
    const std::string start_step = "      - start: node\n";
    site.pack = changed_pack(
        "tests/packs/linked",
        "procedures/upgrade.yaml",
        {{stop_step, step("keep-out") + stop_step}, {start_step, start_step + step("let-in")}});
    model::FactSpec fact = site.pack.facts.front();
    fact.name = "writes";
    fact.role = "";
    site.pack.facts.push_back(fact);
    for (model::ProcedureSpec& procedure : site.pack.procedures) {
        for (model::StepSpec& one : procedure.phases.front().steps) {
            if (one.verb == model::Verb::run) {
                const char* value = one.id == "let-in" ? "accepted" : "refused";
                one.effects = {{model::EffectKind::becomes, "writes", value}};
            }
        }
    }
    site.set("", "writes", writes);
    return site;
}

bool does(const Fixture& site, const std::string& id) {
    const auto plan = plan_of(site);
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const auto& action) {
        return action.id == id;
    });
}

// Somebody who died may have died before the step that keeps clients out.
TEST(FoundDown, StepOnTheSystemIsDoneAllTheSameIfItsEffectIsNotSeen) {
    Fixture site = switched("accepted");
    EXPECT_TRUE(does(site, "roll/m1/keep-out"));
    EXPECT_TRUE(does(site, "roll/m1/stop"));
    stop(site, "m1");
    EXPECT_TRUE(does(site, "roll/m1/keep-out"));
    EXPECT_FALSE(does(site, "roll/m1/stop"));
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("keep-out is done all the same")));
    site.set("", "writes", "refused");
    EXPECT_FALSE(does(site, "roll/m1/keep-out"));
}

// The last step behind a member counts: whoever is done has let clients in again.
TEST(FoundUp, StepOnTheSystemIsDoneAllTheSameIfItsEffectIsNotSeen) {
    Fixture site = switched("accepted");
    install(site, "m1", "2.0");
    start(site, "m1", "2.0");
    EXPECT_FALSE(does(site, "roll/m1/keep-out"));
    EXPECT_FALSE(does(site, "roll/m1/let-in"));
    install(site, "m2", "2.0");
    start(site, "m2", "2.0");
    EXPECT_FALSE(does(site, "roll/m2/let-in"));
    site.set("", "writes", "refused");
    EXPECT_FALSE(does(site, "roll/m2/keep-out"));
    EXPECT_TRUE(does(site, "roll/m2/let-in"));
}

// What the look at a member that is done asks of it.
std::vector<std::string> confirmed_facts(const Fixture& site, const std::string& member) {
    std::vector<std::string> facts;
    for (const model::Action& action : plan_of(site).actions) {
        for (const model::Condition& promise : action.postconditions) {
            if (action.member == member && action.id.ends_with("-confirmed")) {
                facts.push_back(promise.fact);
            }
        }
    }
    return facts;
}

// Of a role that is ready together too few may run while others are moved.
TEST(FoundUp, IsNotAskedWhetherItIsReadyIfItCannotBeAlone) {
    Fixture site = small_site("linked", 2, "1.0");
    site.pack =
        changed_pack("tests/packs/linked",
                     "procedures/upgrade.yaml",
                     {{"      - start: node\n",
                       "      - start: node\n        then: [{fact: running, is: \"${to}\"}, "
                       "{fact: ready, is: true}]\n"}});
    install(site, "m1", "2.0");
    start(site, "m1", "2.0");
    EXPECT_THAT(confirmed_facts(site, "m1"), Contains("ready"));
    site.pack.roles.at("node").ready_with = 2;
    EXPECT_THAT(confirmed_facts(site, "m1"), Not(Contains("ready")));
    EXPECT_THAT(confirmed_facts(site, "m1"), Contains("running"));
    install(site, "m2", "2.0");
    start(site, "m2", "2.0");
    EXPECT_THAT(confirmed_facts(site, "m2"), Contains("ready"));
}

// It leaves the member as it was found, so nothing tells that it was done.
TEST(FoundUp, RestartOnTheOldReleaseIsNotTakenForDone) {
    Fixture site = small_site("linked", 1, "1.0");
    const std::string stop_step = "      - stop: node\n";
    site.pack = changed_pack("tests/packs/linked",
                             "procedures/upgrade.yaml",
                             {{stop_step,
                               "      - run: between\n        id: between\n"
                               "        do: {command: {argv: [between]}}\n"
                               "        effect: [{becomes: {fact: running, value: \"${from}\"}}]\n"
                                   + stop_step}});
    EXPECT_TRUE(goes_on_between(site));
    stop(site, "m1");
    install(site, "m1", "2.0");
    EXPECT_FALSE(goes_on_between(site));
}

// Whoever dies meanwhile comes up as what is installed, and that start closes.
TEST(InstalledAhead, GateStandsBeforeTheInstall) {
    EXPECT_THAT(behind_gate(plan_of(installed_ahead({}))), ElementsAre("ahead/m1/install"));
    Fixture site = installed_ahead({});
    // Whoever dies then is started by a person.
    site.pack.roles.at("node").restarts = false;
    EXPECT_THAT(behind_gate(plan_of(site)), ElementsAre("ahead/m1/install"));
}

// A gate that the pack puts in between is left where it is: the check finds it.
TEST(InstalledAhead, OwnGateInFrontOfTheInstallCounts) {
    const auto plan = plan_of(with_own_gate(installed_ahead({})));
    EXPECT_EQ(plan.point_of_no_return.gate, "own");
    EXPECT_EQ(gates_of(plan), 1);
}

// The last of them closes, and the first ones do no harm: they are looked at before the approval.
TEST(InstalledAhead, OnlyTheInstallOfWhoMayCloseWaits) {
    const auto plan = plan_of(restarted("when-all"));
    EXPECT_THAT(behind_gate(plan), ElementsAre("roll/m2/install"));
    EXPECT_THAT(behind_gate(plan_of(restarted("linked"))), ElementsAre("roll/m1/install"));
}

TEST(FoundDown, OwnGateInFrontOfTheInstallCounts) {
    const auto plan = plan_of(with_own_gate(installed_ahead({"m1", "m2"})));
    EXPECT_EQ(plan.point_of_no_return.gate, "own");
    EXPECT_EQ(gates_of(plan), 1);
    EXPECT_THAT(plan.notes,
                ElementsAre(HasSubstr("m1, m2 are down, and no fact tells the format")));
}

// Its package is there already, so its start is what is left to ask for.
TEST(FoundDown, GateStandsBeforeTheStartOfWhoIsInstalled) {
    Fixture site = installed_ahead({"m1", "m2"});
    install(site, "m1", "2.0");
    EXPECT_THAT(behind_gate(plan_of(site)), Contains("ahead/m2/install"));
    EXPECT_EQ(gates_of(plan_of(site)), 1);
}

// Whoever dies before the gate comes up on it, and nobody can be asked before.
TEST(FoundDown, ReleaseThatLiesInstalledIsNoted) {
    Fixture site = small_site("linked", 2, "1.0");
    EXPECT_THAT(plan_of(site).notes, Not(Contains(HasSubstr("lies installed"))));
    install(site, "m1", "2.0");
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("2.0 lies installed under m1: ")));
    stop(site, "m2");
    install(site, "m2", "2.0");
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("lies installed under m1, m2: ")));
    site.pack.roles.at("node").restarts = false;
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("lies installed under m1, m2: ")));
}

// The store rises when all run 2.0, so one start is none while another member runs 1.0.
TEST(FoundDown, ReleaseThatLiesInstalledIsNotedIfItsStartCloses) {
    Fixture site = small_site("when-all", 2, "1.0");
    install(site, "m1", "2.0");
    EXPECT_THAT(plan_of(site).notes, Not(Contains(HasSubstr("lies installed"))));
    install(site, "m2", "2.0");
    start(site, "m2", "2.0");
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("lies installed under m1: ")));
}

}  // namespace
}  // namespace drydock::planner
