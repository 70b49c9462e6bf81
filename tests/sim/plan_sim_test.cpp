// Any plan can be simulated, and what is planted in a plan is found: the generic system, in which
// members do what the plan says.
#include "sim/simulate_seed.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace drydock::sim {
namespace {

using transport::Faults;

constexpr std::uint64_t k_seeds = 40;

model::Plan plan_of(const std::string& from, const std::string& to) {
    World world(Faults(1), from);
    auto compiled = world.compile("upgrade", from, to, "roll");
    EXPECT_TRUE(compiled.plan);
    return *compiled.plan;
}

// The properties that were broken in any of some seeds.
std::set<std::string> broken_in(const model::Plan& plan) {
    std::set<std::string> broken;
    for (std::uint64_t seed = 1; seed <= k_seeds; ++seed) {
        const auto run = simulate(plan, seed);
        EXPECT_TRUE(run) << run.error().text();
        for (const Violation& wrong : run ? run->violations : std::vector<Violation>()) {
            broken.insert(wrong.property);
        }
    }
    return broken;
}

void drop_action(model::Plan& plan, std::size_t at) {
    const auto before = plan.actions[at].predecessors;
    plan.actions.erase(plan.actions.begin() + static_cast<std::ptrdiff_t>(at));
    for (model::Action& action : plan.actions) {
        std::vector<std::size_t> after;
        for (const std::size_t one : action.predecessors) {
            if (one == at) {
                after.insert(after.end(), before.begin(), before.end());
            } else {
                after.push_back(one > at ? one - 1 : one);
            }
        }
        action.predecessors = std::move(after);
    }
}

TEST(PlanSim, PlansThatAreRightGoWellWhateverFails) {
    EXPECT_EQ(broken_in(plan_of("3.4.23", "3.5.21")), std::set<std::string>{});
    EXPECT_EQ(broken_in(plan_of("3.5.21", "3.6.1")), std::set<std::string>{});
}

TEST(PlanSim, TheSameSeedIsTheSameStory) {
    const auto plan = plan_of("3.4.23", "3.5.21");
    std::string first;
    std::string second;
    (void)simulate(plan, 7, [&](const std::string& line) { first += line + "\n"; });
    (void)simulate(plan, 7, [&](const std::string& line) { second += line + "\n"; });
    EXPECT_EQ(first, second);
    EXPECT_NE(first.find("roll/m1/start"), std::string::npos) << first;
}

TEST(PlanSim, FindsAGateThatIsMissing) {
    auto plan = plan_of("3.4.23", "3.5.21");
    const auto gate = std::find_if(plan.actions.begin(), plan.actions.end(), [](const auto& one) {
        return one.is_point_of_no_return;
    });
    ASSERT_NE(gate, plan.actions.end());
    drop_action(plan, static_cast<std::size_t>(gate - plan.actions.begin()));
    EXPECT_TRUE(broken_in(plan).contains("unasked-return-point"));
}

// All members at once, and nobody asks whether that may be.
TEST(PlanSim, FindsAQuorumThatIsTaken) {
    auto plan = plan_of("3.4.23", "3.5.21");
    for (model::Action& action : plan.actions) {
        if (action.verb == model::Verb::stop) {
            action.preconditions.clear();
        }
        std::erase_if(action.predecessors, [&](std::size_t before) {
            const std::string& member = plan.actions[before].member;
            return action.phase == "roll" && !member.empty() && member != action.member;
        });
    }
    EXPECT_TRUE(broken_in(plan).contains("quorum"));
}

TEST(PlanSim, FindsWhatIsDoneTwice) {
    auto plan = plan_of("3.4.23", "3.5.21");
    for (model::Action& action : plan.actions) {
        if (action.verb
            == model::Verb::install) {  // says that it may be told apart, and it may not
            action.completion_check = {action.postconditions.front()};
            action.completion_check.front().operand = "9.9.9";
            action.repeatable = model::Repeatable::no;
        }
    }
    EXPECT_TRUE(broken_in(plan).contains("twice"));
}

TEST(PlanSim, SaysWhatStandsInTheWay) {
    auto plan = plan_of("3.4.23", "3.5.21");
    model::Condition never = plan.actions.front().preconditions.front();
    never.relation = model::Relation::is;
    never.operand = false;
    plan.actions.back().preconditions.push_back(never);
    const auto run = simulate(plan, 1);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, "sim.obstacle");
    EXPECT_NE(run.error().message.find(plan.actions.back().id), std::string::npos);
}

}  // namespace
}  // namespace drydock::sim
