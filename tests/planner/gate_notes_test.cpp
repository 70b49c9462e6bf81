// Notes on the gate of the point of no return: who waits while a person thinks.
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

model::ProcedureSpec& upgrade_of(Fixture& site) {
    auto& procedures = site.pack.procedures;
    return *std::find_if(procedures.begin(), procedures.end(), [](const auto& procedure) {
        return procedure.name == "upgrade";
    });
}

// The first start of 2.0 closes the way back; the pack has a gate of its own at this place of the
// block: stop, install, start.
Fixture with_gate_in_block(std::ptrdiff_t place) {
    Fixture site = small_site("linked", 1, "1.0");
    model::StepSpec gate;
    gate.id = "mine";
    gate.verb = model::Verb::gate;
    gate.title = "it converts";
    auto& steps = upgrade_of(site).phases.back().steps;
    steps.insert(steps.begin() + place, gate);
    return site;
}

TEST(GateNotes, TellWhoIsDownWhileAPersonIsWaitedFor) {
    EXPECT_THAT(plan_of(with_gate_in_block(0)).notes, ElementsAre());
    for (const std::ptrdiff_t place : {1, 2}) {
        const auto plan = plan_of(with_gate_in_block(place));
        EXPECT_EQ(plan.point_of_no_return.gate, "mine");
        EXPECT_THAT(plan.notes, Contains(HasSubstr("has a person waiting while m1 is down")));
    }
}

// A gate with `when` asks for consent to a repair, and opens at once. That of the point of no
// return soaks whatever it says.
TEST(GateNotes, AGateThatAsksForConsentDoesNotSoak) {
    Fixture site = with_gate_in_block(0);
    auto& phases = upgrade_of(site).phases;
    model::StepSpec consent = phases.back().steps.front();
    consent.id = "consent";
    const model::Condition condition = {.fact = "running",
                                        .role = "node",
                                        .quantifier = model::Quantifier::any,
                                        .relation = model::Relation::present,
                                        .operand = true};
    phases.front().steps.front().applies_if = {condition};
    const auto soak_of = [&](const char* gate) {
        const auto plan = plan_of(site);
        const auto is_it = [&](const model::Action& action) { return action.gate == gate; };
        const auto found = std::find_if(plan.actions.begin(), plan.actions.end(), is_it);
        return found == plan.actions.end() ? -1 : found->soak_ms;
    };
    EXPECT_EQ(soak_of("mine"), 60'000);
    model::PhaseSpec behind;
    behind.name = "behind";
    behind.steps = {consent};
    phases.push_back(behind);
    EXPECT_EQ(soak_of("consent"), 60'000);
    phases.back().steps.front().applies_if = {condition};
    EXPECT_EQ(soak_of("consent"), 0);
}

// The last start closes the way back. Each block has a gate, and the first one does not count.
TEST(GateNotes, TellWhoIsDownAtAGateThatDoesNotCount) {
    Fixture site = small_site("when-all", 2, "1.0");
    model::StepSpec gate;
    gate.id = "mine";
    gate.verb = model::Verb::gate;
    gate.title = "it converts";
    auto& steps = upgrade_of(site).phases.back().steps;
    steps.insert(steps.begin() + 1, gate);
    const auto notes = plan_of(site).notes;
    EXPECT_THAT(notes, Contains(HasSubstr("while m1 is down")));
    EXPECT_THAT(notes, Contains(HasSubstr("while m2 is down")));
}

// Keeps clients out from the first phase to the last.
Fixture with_writes_refused() {
    Fixture site = small_site("linked", 2, "1.0");
    Fixture other = small_site("copied", 2, "1.0");
    std::copy_if(other.pack.facts.begin(),
                 other.pack.facts.end(),
                 std::back_inserter(site.pack.facts),
                 [](const auto& fact) { return fact.role.empty(); });
    auto& phases = upgrade_of(site).phases;
    const auto& others = upgrade_of(other).phases;
    phases.insert(phases.begin(), others.front());
    phases.push_back(others.back());
    site.set("", "writes", "accepted");
    site.set("", "serving", "old");
    return site;
}

TEST(GateNotes, TellThatWritesAreRefusedWhileAPersonIsWaitedFor) {
    Fixture site = with_writes_refused();
    EXPECT_THAT(plan_of(site).notes,
                Contains(HasSubstr("has a person waiting while writes are refused: put a gate")));
    // The roll comes first, then clients are kept out.
    auto& phases = upgrade_of(site).phases;
    std::swap(phases[0], phases[1]);
    EXPECT_THAT(plan_of(site).notes, Not(Contains(HasSubstr("writes are refused"))));
}

// As the note advises: a phase of its own before the one that refuses writes.
TEST(GateNotes, GateBeforeTheRefusalOfWritesCountsOverPhases) {
    Fixture site = with_writes_refused();
    model::StepSpec gate;
    gate.id = "mine";
    gate.verb = model::Verb::gate;
    gate.title = "it converts";
    model::PhaseSpec asking;
    asking.name = "ask";
    asking.steps = {gate};
    auto& phases = upgrade_of(site).phases;
    phases.insert(phases.begin(), asking);
    const auto plan = plan_of(site);
    EXPECT_EQ(plan.point_of_no_return.gate, "mine");
    EXPECT_THAT(plan.notes, Not(Contains(HasSubstr("writes are refused"))));
}

}  // namespace
}  // namespace drydock::planner
