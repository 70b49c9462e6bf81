// The promises of the fake transport: frames in order, time that moves only in a wait, aimed
// faults, and the same run for the same seed.
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <gtest/gtest.h>

namespace drydock::transport {
namespace {

// A counter on each host; each action adds one and takes 100 ms.
class Counters final : public IdleSystem {
public:
    agent::ActionResult command(const std::string& host, const Json&) override {
        ++counts[host];
        return {};
    }

    agent::ProbeResult probe(const std::string& host, const Json&, std::int64_t&) override {
        return agent::known(counts[host]);
    }

    std::map<std::string, int> counts;
};

struct World {
    explicit World(Faults what) : faults(std::move(what)), transport(system, clock, faults) {}

    std::unique_ptr<Conversation> open(const std::string& host) {
        return std::move(*transport.open({host, {"to", host}, {}, "", ""}));
    }

    // Returns the frames that arrive until the connection breaks or no more come.
    std::vector<Json> hear(Conversation& talk) {
        std::vector<Json> heard;
        for (int quiet = 0; quiet < 3;) {
            transport.wait({&talk}, 10'000);
            const auto frames = talk.receive();
            broken = !frames.has_value();
            if (broken) {
                break;
            }
            quiet = frames->empty() ? quiet + 1 : 0;
            heard.insert(heard.end(), frames->begin(), frames->end());
        }
        return heard;
    }

    FakeClock clock;
    Faults faults;
    Counters system;
    FakeTransport transport;
    bool broken = false;
};

Json hello(int number) {
    return Json::Object{{"n", number}, {"do", "hello"}};
}

Json exec(int number) {
    Json request = Json::Object{{"kind", "command"}};
    Json frame = Json::Object{{"n", number}, {"do", "exec"}, {"epoch", 1}, {"run", "r"}};
    frame.set("action", "a").set("attempt", 1).set("request", std::move(request));
    return frame;
}

TEST(FakeTransport, AnswersInTheOrderOfTheQuestions) {
    World world(Faults(1));
    const auto talk = world.open("h1");
    for (int i = 1; i <= 20; ++i) {
        ASSERT_TRUE(talk->send(hello(i)));
    }
    const auto heard = world.hear(*talk);
    ASSERT_EQ(heard.size(), 20U);
    for (int i = 1; i <= 20; ++i) {
        EXPECT_EQ(heard.at(static_cast<std::size_t>(i - 1))["n"].as_int(), i);
        EXPECT_EQ(heard.at(static_cast<std::size_t>(i - 1))["host"].as_string(), "h1");
    }
}

TEST(FakeTransport, TimeMovesOnlyWhenSomebodyWaits) {
    World world(Faults(1));
    const auto talk = world.open("h1");
    world.transport.wait({talk.get()}, 10);  // a new connection counts as an arrival
    ASSERT_TRUE(talk->send(hello(1)));
    const std::int64_t sent = world.clock.monotonic_ms();
    EXPECT_TRUE(talk->receive()->empty());
    EXPECT_EQ(world.clock.monotonic_ms(), sent);
    world.transport.wait({talk.get()}, 10'000);
    EXPECT_EQ(talk->receive()->size(), 1U);
    EXPECT_EQ(world.clock.monotonic_ms(), sent + 2);  // there and back
    world.transport.wait({talk.get()}, 5'000);
    EXPECT_EQ(world.clock.monotonic_ms(), sent + 5'002);
}

// The rule of the real agent: see Begin.comes_one_attempt_of_an_action_at_a_time.
TEST(FakeHost, RunsOneAttemptOfAnActionAtATime) {
    World world(Faults(1));
    const auto talk = world.open("h1");
    ASSERT_TRUE(talk->send(exec(1)));
    ASSERT_TRUE(talk->send(exec(2).set("attempt", 2)));
    ASSERT_TRUE(talk->send(exec(3).set("action", "b")));
    const auto heard = world.hear(*talk);
    ASSERT_EQ(heard.size(), 3U);
    EXPECT_EQ(heard[0]["n"].as_int(), 2);
    EXPECT_EQ(heard[0]["error"]["code"].as_string(), "agent.attempt_running");
    EXPECT_EQ(world.system.counts["h1"], 2);
    ASSERT_TRUE(talk->send(exec(4).set("attempt", 2)));
    EXPECT_EQ(world.hear(*talk).at(0)["state"].as_string(), "ended");
    EXPECT_EQ(world.system.counts["h1"], 3);
}

TEST(FakeTransport, WithNothingToWaitForTimePassesAndFramesGather) {
    World world(Faults(1));
    const auto talk = world.open("h1");
    ASSERT_TRUE(talk->send(hello(1)));
    ASSERT_TRUE(talk->send(hello(2)));
    const std::int64_t sent = world.clock.monotonic_ms();
    world.transport.wait({}, 50);
    EXPECT_EQ(world.clock.monotonic_ms(), sent + 50);
    EXPECT_EQ(talk->receive()->size(), 2U);
}

TEST(FakeTransport, TheWallClockMayJumpTheOtherCannot) {
    FakeClock clock;
    clock.advance_to(100);
    const std::int64_t wall = clock.wall_ms();
    clock.jump_wall(-5'000);
    EXPECT_EQ(clock.wall_ms(), wall - 5'000);
    clock.advance_to(50);
    EXPECT_EQ(clock.monotonic_ms(), 100);
}

TEST(FakeTransport, AnActionGoesOnWhenItsConversationIsThrownAway) {
    World world(Faults(1));
    auto talk = world.open("h1");
    ASSERT_TRUE(talk->send(exec(1)));
    world.transport.wait({talk.get()}, 10);
    talk.reset();
    world.transport.wait({}, 1'000);
    EXPECT_EQ(world.system.counts["h1"], 1);
    talk = world.open("h1");
    ASSERT_TRUE(talk->send(exec(1)));  // the same attempt: attaches
    EXPECT_EQ(world.hear(*talk).back()["state"].as_string(), "ended");
    EXPECT_EQ(world.system.counts["h1"], 1);
}

struct Struck {
    Fault fault;
    bool breaks;
    int effects;  // of one action
};

class FakeTransportFault : public testing::TestWithParam<Struck> {};

TEST_P(FakeTransportFault, StrikesWhereItIsAimedAndNowhereElse) {
    const Struck expected = GetParam();
    World world(Faults::at(1, expected.fault, 1));
    const auto talk = world.open("h1");
    ASSERT_TRUE(talk->send(exec(1)));
    (void)world.hear(*talk);
    EXPECT_EQ(world.broken, expected.breaks);
    world.transport.wait({}, 1'000);
    EXPECT_EQ(world.system.counts["h1"], expected.effects);
    EXPECT_EQ(world.faults.injected(expected.fault), 1);
    world.transport.wait({}, 60'000);
    const auto again = world.open("h2");
    ASSERT_TRUE(again->send(exec(1)));
    EXPECT_EQ(world.hear(*again).back()["state"].as_string(), "ended");
    EXPECT_EQ(world.system.counts["h2"], 1);
}

INSTANTIATE_TEST_SUITE_P(Each,
                         FakeTransportFault,
                         testing::Values(Struck{Fault::request_lost, true, 0},
                                         Struck{Fault::answer_lost, true, 1},
                                         Struck{Fault::host_away, true, 0},
                                         Struck{Fault::interrupted_at_once, false, 0},
                                         Struck{Fault::interrupted_before_effect, false, 0},
                                         Struck{Fault::interrupted_after_effect, false, 1},
                                         Struck{Fault::interrupted_before_result, false, 1}));

TEST(Faults, AreTheSameForTheSameSeed) {
    Faults one = Faults::hostile(7, 4);
    Faults other = Faults::hostile(7, 4);
    for (int i = 0; i < 1'000; ++i) {
        const auto fault = static_cast<Fault>(static_cast<std::size_t>(i) % k_faults);
        EXPECT_EQ(one.should_inject(fault), other.should_inject(fault));
    }
}

TEST(Faults, KeepTheirBudgetAndEndWhenCalm) {
    int struck = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Faults faults = Faults::hostile(seed, 2);
        for (int i = 0; i < 500; ++i) {
            (void)faults.should_inject(Fault::request_lost);
        }
        EXPECT_LE(faults.injected(Fault::request_lost), 2);
        struck += faults.injected(Fault::request_lost);
        faults.stop_faults();
        EXPECT_FALSE(faults.should_inject(Fault::answer_lost));
    }
    EXPECT_GT(struck, 10);
}

}  // namespace
}  // namespace drydock::transport
