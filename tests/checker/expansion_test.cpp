// The life of a successor: begun, changed, committed once, before the next one is begun.
#include "checker/plans.h"
#include "checker/successor_builder.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>

namespace drydock::checker {
namespace {

template <class T>
concept CanCommit = requires(T&& successor) { std::forward<T>(successor).commit(); };

static_assert(CanCommit<Successor>);
static_assert(!CanCommit<Successor&>, "a commit is the last use");
static_assert(!std::is_copy_constructible_v<Successor>);
static_assert(!std::is_move_constructible_v<Successor>);

class ExpansionTest : public testing::Test {
protected:
    ExpansionTest() { expansion_.begin(model_.initial.data(), successors_, {}, nullptr); }

    model::Plan plan_ = plan_of(planner::small_site("when-all", 2, "1.0"), "1.0", "2.0", "serial");
    Model model_{plan_};
    Expansion expansion_{model_, Faults(), false};
    Successors successors_{model_.size, true};
};

using ExpansionDeathTest = ExpansionTest;

TEST_F(ExpansionTest, ChangesTheCopyAndNotItsSource) {
    expansion_.add(TransitionKind::judged_yes, 0)
        .charge(Fault::failure)
        .judge(run::Purpose::guard, run::Outcome::yes)
        .dispatch()
        .commit();
    ASSERT_EQ(successors_.size(), 1U);
    const Byte* row = successors_.row(0);
    EXPECT_EQ(model_.status(row, 0), run::Status::intended);
    EXPECT_EQ(model_.fault_usage_of(row, Fault::failure), 1);
    EXPECT_EQ(expansion_.run().status(0), run::Status::waiting);
    EXPECT_EQ(successors_.events(0).size(), 2U);
}

TEST_F(ExpansionTest, BeginsTheNextSuccessorWithTheSameRun) {
    expansion_.add(TransitionKind::conductor_dies, 0)
        .apply_to_run(run::EventType::conductor_started)
        .commit();
    expansion_.add(TransitionKind::begun, 0).dispatch().commit();
    Successor last = expansion_.add(TransitionKind::begun, 0);
    EXPECT_EQ(last.status(), run::Status::waiting);
    std::move(last).commit();
}

TEST_F(ExpansionDeathTest, EndsTheProcessWithoutACommit) {
    EXPECT_DEATH((void)expansion_.add(TransitionKind::begun, 0), "is_building_");
}

TEST_F(ExpansionDeathTest, EndsTheProcessForTwoAtOnce) {
    EXPECT_DEATH(
        {
            const Successor first = expansion_.add(TransitionKind::begun, 0);
            const Successor second = expansion_.add(TransitionKind::begun, 1);
        },
        "is_building_");
}

TEST_F(ExpansionDeathTest, EndsTheProcessForAnEventAfterTheCommit) {
    EXPECT_DEATH(
        {
            Successor successor = expansion_.add(TransitionKind::begun, 0);
            Successor& committed = successor;
            std::move(successor).commit();
            committed.apply(run::EventType::action_intended);
        },
        "is_building_");
}

}  // namespace
}  // namespace drydock::checker
