#include "run/return_point.h"
#include "run/run.h"

#include <gtest/gtest.h>

namespace drydock::run {
namespace {

using model::Action;
using model::Plan;

Action action(const char* id, bool acts = true) {
    Action one;
    one.id = id;
    one.attempts = 3;
    if (acts) {
        one.request = Json::Object{{"kind", "command"}};
    }
    return one;
}

// "open" is the point of no return, "beside" may close the way back first.
Plan plan_of_three() {
    Plan plan;
    plan.from_version = "1.0";
    plan.actions = {action("copy"), action("open"), action("beside")};
    plan.point_of_no_return.exists = true;
    plan.point_of_no_return.action = "open";
    plan.point_of_no_return.further_actions = {"beside"};
    return plan;
}

State after(const Plan& plan, const std::vector<CompactEvent>& events) {
    const Program program(plan);
    State state(plan.actions.size());
    apply(program, state, {EventType::conductor_started});
    for (const CompactEvent& event : events) {
        apply(program, state, event);
    }
    return state;
}

std::vector<CompactEvent> begun(std::size_t action) {
    return {{EventType::facts_read, action, 0, Outcome::yes, Purpose::guard},
            {EventType::action_intended, action, 1}};
}

std::vector<CompactEvent> begun_and(std::size_t action, CompactEvent next) {
    auto events = begun(action);
    next.action = action;
    next.attempt = 1;
    events.push_back(next);
    return events;
}

TEST(ReturnPoint, ClosesTheWayBackOnceItIsBegun) {
    const Plan plan = plan_of_three();
    EXPECT_FALSE(closed_by(plan, after(plan, {})));
    EXPECT_FALSE(closed_by(plan, after(plan, begun(0))));
    EXPECT_EQ(closed_by(plan, after(plan, begun(1))), 1U);
    EXPECT_EQ(closed_by(plan, after(plan, begun(2))), 2U);
}

// The outcome does not matter: the action may have taken effect.
TEST(ReturnPoint, StaysClosedWhateverBecameOfIt) {
    const Plan plan = plan_of_three();
    for (const Outcome outcome : {Outcome::done, Outcome::failed, Outcome::unknown}) {
        const auto events = begun_and(1, {EventType::action_ended, 1, 1, outcome});
        EXPECT_EQ(closed_by(plan, after(plan, events)), 1U);
    }
    const auto torn = begun_and(1, {EventType::action_attached, 1, 1, Outcome::interrupted});
    EXPECT_EQ(closed_by(plan, after(plan, torn)), 1U);
}

TEST(ReturnPoint, StaysOpenIfNoAttemptWasBegun) {
    const Plan plan = plan_of_three();
    const auto none = begun_and(1, {EventType::action_attached, 1, 1, Outcome::none});
    EXPECT_FALSE(closed_by(plan, after(plan, none)));
}

TEST(ReturnPoint, CountsEachAttemptForItself) {
    const Plan plan = plan_of_three();
    auto events = begun_and(1, {EventType::action_ended, 1, 1, Outcome::failed});
    events.push_back({EventType::facts_read, 1, 0, Outcome::yes, Purpose::guard});
    events.push_back({EventType::action_intended, 1, 2});
    events.push_back({EventType::action_attached, 1, 2, Outcome::none});
    EXPECT_EQ(closed_by(plan, after(plan, events)), 1U);
}

// A person carries out an action that sends nothing; it begins as its guards hold.
TEST(ReturnPoint, ClosesWithAnActionThatSendsNothing) {
    Plan plan = plan_of_three();
    plan.actions[1] = action("open", false);
    EXPECT_FALSE(closed_by(plan, after(plan, {})));
    const CompactEvent held = {EventType::facts_read, 1, 0, Outcome::yes, Purpose::guard};
    EXPECT_EQ(closed_by(plan, after(plan, {held})), 1U);
}

TEST(ReturnPoint, ClosesWithTheLossOfAStoreThatTheOldReleaseNeeds) {
    Plan plan = plan_of_three();
    plan.point_of_no_return = {};
    EXPECT_FALSE(closed_by(plan, after(plan, begun(1))));
    plan.actions[0].effects = {{model::EffectKind::destroys, "", "data", {}}};
    EXPECT_EQ(closed_by(plan, after(plan, begun(0))), 0U);
    plan.stores = {{.name = "data"}};
    EXPECT_FALSE(closed_by(plan, after(plan, begun(0))));
    plan.stores.front().laws["1.0"] = {};
    EXPECT_EQ(closed_by(plan, after(plan, begun(0))), 0U);
}

}  // namespace
}  // namespace drydock::run
