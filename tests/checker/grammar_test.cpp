// Whatever the checker explores is a sequence of events that a run may record.
#include "checker/counterexample.h"
#include "checker/plans.h"
#include "planner/small_fixtures.h"
#include "run/grammar.h"

#include <gtest/gtest.h>

#include <random>

namespace drydock::checker {
namespace {

constexpr int k_walks = 200;
constexpr int k_steps_max = 400;

// One way through the model, chosen at random.
std::vector<run::CompactEvent>
random_walk(const Model& site, SuccessorGenerator& explorer, std::mt19937& random) {
    std::vector<run::CompactEvent> events;
    std::vector<Byte> row = site.initial;
    Successors batch(site.size, true);
    for (int i = 0; i < k_steps_max; ++i) {
        batch.clear();
        explorer.expand(row.data(), batch);
        if (batch.size() == 0) {
            break;
        }
        const std::size_t next = random() % batch.size();
        row.assign(batch.row(next), batch.row(next) + site.size);
        const auto walked = batch.events(next);
        events.insert(events.end(), walked.begin(), walked.end());
    }
    return events_of(site, events);
}

void expect_legal(const model::Plan& plan) {
    const Model site(plan);
    SuccessorGenerator explorer(site, {4, 4, 4, 2, 2});
    std::mt19937 random(1);
    for (int i = 0; i < k_walks; ++i) {
        const auto events = random_walk(site, explorer, random);
        const auto why = run::first_violation(site.program, events);
        ASSERT_FALSE(why) << "walk " << i << ": " << *why;
    }
}

TEST(CheckerGrammar, HoldsOnWalksThroughPlans) {
    expect_legal(plan_of(planner::etcd_site(3), "3.4.23", "3.5.21"));
    const auto small = planner::small_site("when-all", 3, "1.0");
    for (const char* procedure : {"all", "batch", "serial"}) {
        expect_legal(plan_of(small, "1.0", "2.0", procedure));
    }
    expect_legal(plan_of(planner::offline_site("1.0", {1, 2, 1, 0}), "1.0", "2.0"));
    expect_legal(plan_of(planner::small_site("migrate", 2, "1.0"), "1.0", "2.0"));
}

TEST(CheckerGrammar, HoldsOnWalksWithUnrepeatableAndOptionalSteps) {
    const auto site = planner::small_site("finalize", 2, "1.0");
    model::Plan plan = plan_of(site, "1.0", "2.0");
    for (model::Action& action : plan.actions) {
        action.attempts = 2;
        action.repeatable = model::Repeatable::no;
    }
    action_of(plan, "finalize/m1/convert").optional = true;
    expect_legal(plan);
}

// The story of every way in which a broken plan goes wrong.
TEST(CheckerGrammar, HoldsOnStories) {
    const auto etcd = planner::etcd_site(3);
    model::Plan plan = plan_of(etcd, "3.4.23", "3.5.21");
    for (model::Action& action : plan.actions) {
        action.preconditions.clear();
        action.remedy.clear();
    }
    Options options;
    options.faults = {1, 1, 1, 1, 1};
    options.compile_downgrade = back_of(etcd, "3.4.23", "3.5.21");
    const Report report = check(plan, options);
    ASSERT_FALSE(report.violations.empty());
    for (const Violation& violation : report.violations) {
        EXPECT_FALSE(violation.events.empty() && !violation.story.empty());
        const auto why = run::first_violation(run::Program(plan), violation.events);
        EXPECT_FALSE(why) << name_of(violation.property) << ": " << *why;
    }
}

}  // namespace
}  // namespace drydock::checker
