// Conductors and agents that die at every place of a whole etcd upgrade, in simulated time.
#include "sim/world.h"

#include <gtest/gtest.h>

namespace drydock::sim {
namespace {

using transport::Fault;
using transport::Faults;

constexpr const char* k_old = "3.4.23";
constexpr const char* k_new = "3.5.21";

std::string text(const std::vector<Violation>& wrongs) {
    std::string all;
    for (const Violation& wrong : wrongs) {
        all += wrong.property + ": " + wrong.description + "\n";
    }
    return all;
}

std::string text(const planner::Compiled& compiled) {
    std::string all;
    for (const Error& error : compiled.problems) {
        all += error.text() + "\n";
    }
    return all;
}

// Every member was handled once, however often its conductor or agent died.
void expect_upgraded(World& world, const SimulationResult& ending) {
    EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
        << ending.final_state.halt.dump();
    EXPECT_EQ(text(ending.violations), "");
    for (const auto& [name, node] : world.etcd.nodes()) {
        EXPECT_EQ(node.starts, 1) << name;
        EXPECT_EQ(node.stops, 1) << name;
        EXPECT_EQ(node.running, k_new) << name;
    }
    EXPECT_EQ(world.etcd.store().level, "3.5");
    EXPECT_GT(world.etcd.acknowledged(), 0U);
}

TEST(SimCrash, UpgradesWhenNothingGoesWrong) {
    World world(Faults(1), k_old);
    const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
    ASSERT_TRUE(compiled.plan) << text(compiled);
    const SimulationResult ending = world.run_to_completion(*compiled.plan, {});
    expect_upgraded(world, ending);
    EXPECT_EQ(ending.conductors, 2);  // the second after the gate
}

model::Plan plan_for(World& world, const std::string& procedure, const std::string& run) {
    const bool up = procedure == "upgrade";
    auto compiled = world.compile(procedure, up ? k_old : k_new, up ? k_new : k_old, run);
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return compiled.plan ? std::move(*compiled.plan) : model::Plan();
}

// Records that the conductor before the gate, and the one after it, write when they live.
std::array<std::uint64_t, 2> records_of_lives() {
    World world(Faults(1), k_old);
    const auto plan = plan_for(world, "upgrade", "roll");
    const auto first = world.conduct(plan).records;
    return {first, world.conduct(plan, {}, true).records};
}

constexpr std::array k_everywhere = {CrashPoint::Moment::before_commit,
                                     CrashPoint::Moment::after_commit,
                                     CrashPoint::Moment::after_send};

TEST(SimCrash, UpgradesWhereverTheConductorDies) {
    const auto records = records_of_lives();
    for (std::size_t life = 0; life < 2; ++life) {
        for (std::uint64_t record = 1; record <= records.at(life); ++record) {
            for (const auto where : k_everywhere) {
                SCOPED_TRACE(testing::Message() << "life " << life << " dies at record " << record
                                                << " in way " << static_cast<int>(where));
                World world(Faults(record), k_old);
                const auto plan = plan_for(world, "upgrade", "roll");
                std::vector<CrashPoint> deaths(life);
                deaths.push_back({record, where});
                expect_upgraded(world, world.run_to_completion(plan, deaths));
            }
        }
    }
}

// Its successor dies too, and that one's: each a little further than the one before.
TEST(SimCrash, UpgradesWhenEveryConductorDiesEarly) {
    for (std::uint64_t step = 2; step <= 6; ++step) {
        for (const auto where : k_everywhere) {
            SCOPED_TRACE(testing::Message()
                         << "each dies at its record " << step << static_cast<int>(where));
            World world(Faults(step), k_old);
            const auto plan = plan_for(world, "upgrade", "roll");
            expect_upgraded(
                world, world.run_to_completion(plan, std::vector<CrashPoint>(12, {step, where})));
        }
    }
}

class SimAgentDies : public testing::TestWithParam<Fault> {};

TEST_P(SimAgentDies, UpgradesWhereverItDies) {
    World counted(Faults(1), k_old);
    const auto all = counted.run_to_completion(plan_for(counted, "upgrade", "roll"), {});
    ASSERT_EQ(all.final_state.state.phase(), run::Phase::finished);
    const int places = counted.faults.opportunities(GetParam());
    ASSERT_GT(places, 9);  // three members, each stopped, switched and started
    for (int nth = 1; nth <= places; ++nth) {
        SCOPED_TRACE(testing::Message() << name_of(GetParam()) << ", action " << nth);
        World world(Faults::at(1, GetParam(), nth), k_old);
        const auto plan = plan_for(world, "upgrade", "roll");
        expect_upgraded(world, world.run_to_completion(plan, {}));
        EXPECT_EQ(world.faults.injected(GetParam()), 1);
    }
}

INSTANTIATE_TEST_SUITE_P(Everywhere,
                         SimAgentDies,
                         testing::Values(Fault::interrupted_at_once,
                                         Fault::interrupted_before_effect,
                                         Fault::interrupted_after_effect,
                                         Fault::interrupted_before_result));

// A host that reboots in the middle of a write: the folder of an action, or its result, may be
// gone.
TEST(SimCrash, UpgradesWhateverAHostHadNotSynced) {
    World counted(Faults(1), k_old);
    (void)counted.run_to_completion(plan_for(counted, "upgrade", "roll"), {});
    const int places = counted.faults.opportunities(Fault::writes_lost);
    ASSERT_GT(places, 18);  // when each action begins, and when it ends
    for (int nth = 1; nth <= places; ++nth) {
        SCOPED_TRACE(testing::Message() << "write " << nth);
        World world(Faults::at(static_cast<std::uint64_t>(nth), Fault::writes_lost, nth), k_old);
        const auto plan = plan_for(world, "upgrade", "roll");
        const SimulationResult ending = world.run_to_completion(plan, {}, 6);
        EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
            << ending.final_state.halt.dump();
        EXPECT_EQ(text(ending.violations), "");
    }
}

class SimLineBreaks : public testing::TestWithParam<Fault> {};

TEST_P(SimLineBreaks, UpgradesWhicheverFrameItHits) {
    World counted(Faults(1), k_old);
    const auto all = counted.run_to_completion(plan_for(counted, "upgrade", "roll"), {});
    ASSERT_EQ(all.final_state.state.phase(), run::Phase::finished);
    const int places = counted.faults.opportunities(GetParam());
    for (int nth = 1; nth <= places;
         nth += 7) {  // every place that differs is met; the sweep adds more
        SCOPED_TRACE(testing::Message() << name_of(GetParam()) << ", frame " << nth);
        World world(Faults(1), k_old);
        const auto plan = plan_for(world, "upgrade", "roll");
        world.faults = Faults::at(1, GetParam(), nth);
        expect_upgraded(world, world.run_to_completion(plan, {}));
    }
}

INSTANTIATE_TEST_SUITE_P(Everywhere,
                         SimLineBreaks,
                         testing::Values(Fault::request_lost,
                                         Fault::answer_lost,
                                         Fault::answer_twice,
                                         Fault::answer_late));

// The conductor is told that a command never began, begins it anew, and may be past it, when the
// host gets the first one after all.
TEST(SimCrash, BeginsNothingTwiceWhenACommandOutlivesItsConnection) {
    World counted(Faults(1), k_old);
    (void)counted.run_to_completion(plan_for(counted, "upgrade", "roll"), {});
    const int places = counted.faults.opportunities(Fault::request_late);
    ASSERT_GT(places, 9);
    for (int nth = 1; nth <= places; ++nth) {
        for (std::uint64_t seed = 1; seed <= 12; ++seed) {  // how late it is
            SCOPED_TRACE(testing::Message() << "command " << nth << ", seed " << seed);
            World world(Faults(1), k_old);
            const auto plan = plan_for(world, "upgrade", "roll");
            world.faults = Faults::at(seed, Fault::request_late, nth);
            expect_upgraded(world, world.run_to_completion(plan, {}));
            for (const char* member : {"m1", "m2", "m3"}) {
                EXPECT_EQ(world.etcd.node(member).stops, 1) << member;
                EXPECT_EQ(world.etcd.node(member).starts, 1) << member;
            }
        }
    }
}

// Whatever a dead conductor left behind before the gate, the way back loses nothing.
TEST(SimCrash, GoesBackFromEveryPlaceBeforeTheGate) {
    const auto records = records_of_lives().front();
    int whole = 0;
    for (std::uint64_t record = 1; record <= records; ++record) {
        for (const auto where : k_everywhere) {
            SCOPED_TRACE(testing::Message()
                         << "dies at record " << record << " in way " << static_cast<int>(where));
            World world(Faults(record), k_old);
            const auto plan = plan_for(world, "upgrade", "roll");
            (void)world.conduct(plan, {record, where});
            if (world.site.events(plan).empty()) {
                continue;  // it died before there was a run
            }
            const auto back = world.site.downgrade(plan, [&](const model::Plan& forward) {
                return world.compile_back(forward, "back");
            });
            ASSERT_TRUE(back.plan) << back.life.error.text();
            const SimulationResult ending = world.run_to_completion(*back.plan, {});
            EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
                << ending.final_state.halt.dump();
            EXPECT_EQ(text(ending.violations), "");
            EXPECT_EQ(world.etcd.store().level, "3.4");
            EXPECT_EQ(world.etcd.serving(), 3);
            ++whole;
        }
    }
    EXPECT_GT(whole, 30);
}

}  // namespace
}  // namespace drydock::sim
