// What a plan and its guide say of members that are down, and of clients that are kept out.
#include "cli/render.h"
#include "cli/sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

namespace drydock::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A command that scales all to nothing is an outage, whatever its verb is; so is one that has them
// down while it is under way.
TEST(Downtime, CountsWhomACommandTakesDown) {
    model::Plan plan = sample_plan();
    model::Action scale;
    scale.id = "scale/zero";
    scale.phase = "scale";
    scale.title = "scale to nothing";
    for (const char* member : {"m1", "m2", "m3"}) {
        scale.effects.push_back({model::EffectKind::becomes, member, "running", Json()});
    }
    plan.actions = {scale};
    EXPECT_THAT(render_plan(plan, Screen()), HasSubstr("down to 0 of 3 serve"));
    EXPECT_THAT(render_guide(plan), HasSubstr("down to 0 of 3 members serve"));
    plan.actions.front().meanwhile = std::exchange(plan.actions.front().effects, {});
    EXPECT_THAT(render_plan(plan, Screen()), HasSubstr("down to 0 of 3 serve"));
}

// They are down until another command brings them up again.
TEST(Downtime, CountsWhoStaysDown) {
    model::Plan plan = sample_plan();
    for (model::Action& action : plan.actions) {
        action.verb = action.verb == model::Verb::stop || action.verb == model::Verb::start
                          ? model::Verb::run
                          : action.verb;
    }
    EXPECT_THAT(render_plan(plan, Screen()), HasSubstr("none; at least 2 of 3 serve"));
    std::erase_if(plan.actions,
                  [](const model::Action& action) { return action.id.ends_with("/start"); });
    EXPECT_THAT(render_plan(plan, Screen()), HasSubstr("down to 0 of 3 serve"));
}

TEST(Downtime, SaysThatWritesAreRefused) {
    model::Plan plan = sample_plan();
    plan.sources["open"].standard_fact = model::StandardFact::writes;
    plan.actions.back().effects.push_back({model::EffectKind::becomes, "", "open", "accepted"});
    EXPECT_THAT(render_plan(plan, Screen()), Not(HasSubstr("refused")));
    plan.actions.front().effects.push_back({model::EffectKind::becomes, "", "open", "refused"});
    EXPECT_THAT(render_plan(plan, Screen()), HasSubstr("for a time writes are refused"));
    EXPECT_THAT(render_guide(plan), HasSubstr("For a time writes are refused."));
}

}  // namespace
}  // namespace drydock::cli
