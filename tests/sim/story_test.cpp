// Whole stories on the simulated site: entering half-way, displaced conductors, clocks that jump,
// 3.6's window, drift.
#include "sim/crash_injection.h"
#include "sim/world.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

namespace drydock::sim {
namespace {

using transport::Faults;

constexpr const char* k_old = "3.4.23";
constexpr const char* k_new = "3.5.21";

std::string text(const planner::Compiled& compiled) {
    std::string all;
    for (const Error& error : compiled.problems) {
        all += error.text() + "\n";
    }
    return all;
}

std::string text(const std::vector<run::Drift>& drift) {
    std::string all;
    for (const run::Drift& one : drift) {
        all += one.key + ": " + one.actual + ", expected " + one.expected + "\n";
    }
    return all;
}

enum class Progress { untouched, stopped, swapped, done };

void bring(World& world, const std::string& member, Progress progress) {
    if (progress == Progress::untouched) {
        return;
    }
    world.etcd.stop_by_hand(member);
    if (progress != Progress::stopped) {
        world.etcd.link_by_hand(member, k_new);
    }
    if (progress == Progress::done) {
        world.etcd.start_by_hand(member);
        world.advance_time(1'000);
    }
}

// All 64 ways in which somebody may have left the cluster. With a quorum the plan ends upgraded and
// touches nobody who is done; without one it is refused, or halts, with a reason.
TEST(SimStory, EntersHalfWayFromEveryState) {
    constexpr std::array k_members = {"m1", "m2", "m3"};
    int planned = 0;
    for (int state = 0; state < 64; ++state) {
        SCOPED_TRACE(testing::Message() << "state " << state);
        World world(Faults(static_cast<std::uint64_t>(state) + 1), k_old);
        std::array<Progress, 3> progress = {};
        int down = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            progress.at(i) = static_cast<Progress>((state >> (2 * i)) & 3);
            down += progress.at(i) == Progress::stopped || progress.at(i) == Progress::swapped;
            bring(world, k_members.at(i), progress.at(i));
        }
        world.advance_time(6'000);
        const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
        if (!compiled.plan) {
            EXPECT_NE(text(compiled), "");
            EXPECT_GT(down, 0) << text(compiled);
            continue;
        }
        ++planned;
        const SimulationResult ending = world.run_to_completion(*compiled.plan, {});
        const bool finished = ending.final_state.state.phase() == run::Phase::finished;
        EXPECT_TRUE(finished || down > 0) << ending.final_state.halt.dump();
        for (const Violation& wrong : ending.violations) {
            ADD_FAILURE() << wrong.property << ": " << wrong.description;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            const bool was_done = progress.at(i) == Progress::done;
            EXPECT_TRUE(!was_done || world.etcd.node(k_members.at(i)).starts == 1);
        }
    }
    EXPECT_GE(planned, 32);
}

// One member down is a quorum still: from there every plan must end upgraded.
TEST(SimStory, FinishesWhatWasLeftWithOneMemberDown) {
    for (const auto left : {Progress::stopped, Progress::swapped}) {
        for (const char* member : {"m1", "m2", "m3"}) {
            SCOPED_TRACE(testing::Message() << member << " " << static_cast<int>(left));
            World world(Faults(7), k_old);
            bring(world, member, left);
            world.advance_time(3'000);
            const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
            ASSERT_TRUE(compiled.plan) << text(compiled);
            const SimulationResult ending = world.run_to_completion(*compiled.plan, {});
            EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
                << ending.final_state.halt.dump();
            EXPECT_EQ(ending.violations.size(), 0U);
        }
    }
}

// A conductor that was thought dead sends one more command: the host itself refuses it.
TEST(SimStory, RefusesTheCommandOfADisplacedConductor) {
    World world(Faults(1), k_old);
    const auto addresses = executor::addresses_of(world.cluster().hosts);
    executor::AgentPool displaced(world.transport, world.clock, addresses, {"sim", "journal", 1});
    executor::AgentPool current(world.transport, world.clock, addresses, {"sim", "journal", 2});
    Json attach = Json::Object{{"do", "attach"}, {"run", "r"}, {"action", "x"}, {"attempt", 1}};
    const auto ask = [&](executor::AgentPool& hosts, const Json& request) {
        (void)hosts.submit("a", request, world.clock.monotonic_ms() + 30'000);
        std::vector<executor::Reply> replies;
        while (replies.empty()) {
            replies = hosts.poll(1'000);
        }
        return replies.front();
    };
    EXPECT_EQ(ask(displaced, attach).kind, executor::Reply::Kind::answer);
    EXPECT_EQ(ask(current, attach).kind, executor::Reply::Kind::answer);
    Json stop = attach;
    stop.set("do", "exec").set("epoch", 1);
    Json request = Json::Object{{"kind", "service_stop"}};
    stop.set("request", request.set("service", world.cluster().members.front().service));
    const auto refused = ask(displaced, stop);
    EXPECT_EQ(refused.kind, executor::Reply::Kind::refused);
    EXPECT_EQ(refused.error.code, "agent.fenced");
    EXPECT_EQ(world.etcd.node("m1").stops, 0);
}

// The gate opens when the soak time has passed, whatever the wall clock does meanwhile.
TEST(SimStory, SoaksItsTimeThoughTheClockJumps) {
    for (const std::int64_t jump : {-3'600'000, 3'600'000}) {
        World world(Faults(1), k_old);
        const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(compiled.plan) << text(compiled);
        world.transport.at(120'000, [&] { world.clock.jump_wall(jump); });
        EXPECT_EQ(world.conduct(*compiled.plan).gate, "point-of-no-return");
        EXPECT_GT(world.clock.monotonic_ms(), 600'000) << jump;
        EXPECT_LT(world.clock.monotonic_ms(), 660'000) << jump;
    }
}

struct Boots {
    bool conductor = false;
    bool hosts = false;
};

// How long after a conductor's death in the soak the gate opens, if the next one comes 3 minutes
// later and the wall clock was set meanwhile.
std::int64_t soak_after_death(std::int64_t wall_jump_ms, const Boots& boots) {
    constexpr std::int64_t k_alone_ms = 180'000;
    World world(Faults(1), k_old);
    const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
    EXPECT_TRUE(compiled.plan) << text(compiled);
    const model::Plan& plan = *compiled.plan;
    const auto gate = static_cast<std::size_t>(plan.find("roll/gate") - plan.actions.data());
    std::int64_t began_ms = 0;
    world.transport.at(120'000, [&] { throw SimulatedCrash{}; });
    const ConductorRun life = world.conduct(plan);
    EXPECT_TRUE(life.died && life.state.status(gate) == run::Status::soaking);
    began_ms = world.clock.monotonic_ms();
    world.advance_time(k_alone_ms);
    world.clock.jump_wall(wall_jump_ms);
    if (boots.conductor) {
        world.site.boot_conductors();
    }
    for (const auto& [host, unused] : plan.hosts) {
        if (boots.hosts) {
            world.transport.reboot(host, world.clock.monotonic_ms());
        }
    }
    EXPECT_EQ(world.conduct(plan).gate, "point-of-no-return");
    return world.clock.monotonic_ms() - began_ms;
}

// A wall clock that was set ends no soak. The clock of any machine that ran ever since counts what
// passed while nobody conducted; if none did, the soak begins anew.
TEST(SimStory, SoaksByClocksThatRanEverSince) {
    for (const std::int64_t jump : {-3'600'000, 0, 3'600'000}) {
        SCOPED_TRACE(testing::Message() << "the wall clock jumps by " << jump);
        for (const Boots& boots : {Boots{false, false}, Boots{true, false}, Boots{false, true}}) {
            const std::int64_t took_ms = soak_after_death(jump, boots);
            EXPECT_GT(took_ms, 480'000 - 10'000);
            EXPECT_LT(took_ms, 540'000);
        }
        EXPECT_GT(soak_after_death(jump, {true, true}), 180'000 + 600'000);
    }
}

// Not a millisecond less, though one clock tells the part before a death and another one the rest,
// each rounded down.
TEST(SimStory, SoaksNoLessThanItsTimeThroughADeath) {
    int soaked = 0;
    for (std::uint64_t record = 1; record < 60; ++record) {
        World world(Faults(1), k_old);
        const auto compiled = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(compiled.plan) << text(compiled);
        const ConductorRun life =
            world.conduct(*compiled.plan, {record, CrashPoint::Moment::after_commit});
        const model::Plan& plan = *compiled.plan;
        const auto gate = static_cast<std::size_t>(plan.find("roll/gate") - plan.actions.data());
        if (life.died && life.state.status(gate) == run::Status::soaking) {
            const std::int64_t began_ms = world.clock.monotonic_ms();
            world.clock.jump_wall(2);  // what was rounded off
            EXPECT_EQ(world.conduct(plan).gate, "point-of-no-return");
            EXPECT_GE(world.clock.monotonic_ms() - began_ms, 600'000);
            ++soaked;
        }
    }
    EXPECT_EQ(soaked, 1);
}

// 3.6 has a call that lowers the level: no point of no return, and the way back after the end.
TEST(SimStory, GoesBackFrom36AfterTheLevelHasRisen) {
    World world(Faults(3), "3.5.21");
    const auto up = world.compile("upgrade", "3.5.21", "3.6.1", "roll");
    ASSERT_TRUE(up.plan) << text(up);
    EXPECT_FALSE(up.plan->point_of_no_return.exists);
    EXPECT_EQ(world.run_to_completion(*up.plan, {}).final_state.state.phase(),
              run::Phase::finished);
    EXPECT_EQ(world.etcd.store().level, "3.6");
    const auto back = world.compile("downgrade", "3.6.1", "3.5.21", "back");
    ASSERT_TRUE(back.plan) << text(back);
    const SimulationResult ending = world.run_to_completion(*back.plan, {});
    EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
        << ending.final_state.halt.dump();
    EXPECT_EQ(world.etcd.store().level, "3.5");
    EXPECT_EQ(world.etcd.node("m1").running, "3.5.21");
    EXPECT_EQ(world.etcd.lost_writes(), 0U);
    EXPECT_EQ(world.etcd.quorum_losses(), 0);
}

// Past the gate of 3.4 -> 3.5 the downgrade is refused with what is left to do.
TEST(SimStory, RefusesTheDowngradeOnceTheLevelHasRisen) {
    World world(Faults(1), k_old);
    const auto up = world.compile("upgrade", k_old, k_new, "roll");
    ASSERT_TRUE(up.plan) << text(up);
    (void)world.run_to_completion(*up.plan, {});
    const auto back = world.compile("downgrade", k_new, k_old, "back");
    EXPECT_FALSE(back.plan);
    EXPECT_NE(text(back).find("rebuild"), std::string::npos) << text(back);
}

// After every record of a quiet upgrade the world is as expected: the level included, which is
// expected to rise from the last start on and not before.
TEST(SimStory, ExpectsTheWorldAsItIsAfterEveryRecord) {
    for (std::uint64_t record = 1; record < 40; ++record) {
        World world(Faults(record), k_old);
        const auto up = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(up.plan) << text(up);
        const ConductorRun life = world.conduct(*up.plan, {record, CrashPoint::Moment::after_send});
        world.advance_time(5'000);
        EXPECT_EQ(text(world.drift(*up.plan, life.state)), "") << "record " << record;
    }
}

// Somebody upgraded a member behind our back: that is drift, told by fact.
TEST(SimStory, SeesThatSomebodyElseWasHere) {
    World world(Faults(1), k_old);
    const auto up = world.compile("upgrade", k_old, k_new, "roll");
    ASSERT_TRUE(up.plan) << text(up);
    const ConductorRun life = world.conduct(*up.plan, {6, CrashPoint::Moment::before_commit});
    EXPECT_EQ(text(world.drift(*up.plan, life.state)), "");
    bring(world, "m3", Progress::done);
    const std::string drift = text(world.drift(*up.plan, life.state));
    EXPECT_NE(drift.find("m3/running: 3.5.21, expected 3.4.23"), std::string::npos) << drift;
    EXPECT_EQ(drift.find("m1/"), std::string::npos) << drift;
}

// Intended is durable before the command leaves: whenever the conductor dies, hosts have done
// nothing that the journal does not know.
TEST(SimStory, NothingIsDoneThatTheJournalDoesNotKnow) {
    int effects = 0;
    for (std::uint64_t record = 1; record < 40; ++record) {
        World world(Faults(record), k_old);
        const auto up = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(up.plan) << text(up);
        (void)world.conduct(*up.plan, {record, CrashPoint::Moment::before_commit});
        world.advance_time(5'000);
        std::set<std::string> known;
        for (const run::Event& event : world.site.events(*up.plan)) {
            if (event.type == run::EventType::action_intended) {
                known.insert("roll:" + up.plan->actions[event.action].id);
            }
        }
        for (const char* host : {"a", "b", "c"}) {
            for (const auto& [action, count] : world.transport.host(host).effects()) {
                EXPECT_TRUE(known.contains(action)) << action << ", record " << record;
                effects += count;
            }
        }
    }
    EXPECT_GT(effects, 100);
}

// At the n-th probe the network begins to hold back what one host is asked, told and answers; while
// it does, the member of another host dies.
void hold_back(World& world, int probe, const std::string& cut, std::int64_t after_ms) {
    constexpr std::int64_t k_cut_ms = 100'000;
    int seen = 0;
    world.transport.on_request(
        [&world, seen, probe, cut, after_ms](const std::string&, const Json& frame) mutable {
            if (frame["do"].as_string() == "probe" && ++seen == probe) {
                const std::int64_t at = world.clock.monotonic_ms() + after_ms;
                world.transport.at(
                    at, [&world, cut, at] { world.transport.partition(cut, at + k_cut_ms); });
                world.transport.at(at + k_cut_ms / 2, [&world, probe] {
                    world.etcd.advance(world.clock.monotonic_ms());
                    (void)world.etcd.kill_one(probe);
                });
            }
            return true;
        });
}

// Be it that an answer came late or that the command did: no stop rests on what was so long ago.
TEST(SimStory, StopsNobodyOnWhatWasSoLongAgo) {
    for (int probe = 1; probe < 90; ++probe) {
        for (const std::string cut : {"a", "b", "c"}) {
            for (const std::int64_t after_ms : {0, 1}) {
                SCOPED_TRACE(testing::Message() << "probe " << probe << ", " << cut << " cut after "
                                                << after_ms << " ms");
                World world(Faults(1), k_old);
                const auto up = world.compile("upgrade", k_old, k_new, "roll");
                ASSERT_TRUE(up.plan) << text(up);
                hold_back(world, probe, cut, after_ms);
                (void)world.conduct(*up.plan);
                EXPECT_EQ(world.etcd.quorum_losses(), 0);
            }
        }
    }
}

// One whose answers all are on their way for some time: for a while it is waited for, and then what
// it tells is not known.
TEST(SimStory, BelievesNothingThatIsAlwaysTooOld) {
    for (const std::int64_t late_ms : {2'000, 7'000}) {
        World world(Faults(1), k_old);
        const auto up = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(up.plan) << text(up);
        world.transport.on_request([&](const std::string& host, const Json& frame) {
            if (host == "c" && frame["do"].as_string() == "probe") {
                world.transport.partition(host, world.clock.monotonic_ms() + late_ms);
            }
            return true;
        });
        const SimulationResult ending = world.run_to_completion(*up.plan, {});
        EXPECT_EQ(ending.violations.size(), 0U);
        if (late_ms == 2'000) {
            EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
                << ending.final_state.halt.dump();
        } else {
            EXPECT_NE(ending.final_state.halt["cause"].as_string().find("takes too long to answer"),
                      std::string::npos)
                << ending.final_state.halt.dump();
            EXPECT_EQ(world.etcd.node("m1").stops + world.etcd.node("m2").stops, 0);
        }
    }
}

// Whenever a host cannot be reached any more once it was told to stop its member: nobody takes that
// for "it did not happen", and when it can be reached again the run goes on where it was.
TEST(SimStory, AsksAHostThatIsBackWhatBecameOfItsStop) {
    constexpr std::int64_t k_away_ms = 600'000;
    std::set<std::string> causes;
    for (std::int64_t after_ms = 0; after_ms < 2'000; after_ms += 50) {
        SCOPED_TRACE(testing::Message() << "lost after " << after_ms << " ms");
        World world(Faults(1), k_old);
        const auto up = world.compile("upgrade", k_old, k_new, "roll");
        ASSERT_TRUE(up.plan) << text(up);
        bool lost = false;
        world.transport.on_request([&](const std::string& host, const Json& frame) {
            if (!std::exchange(lost, lost || frame["request"]["kind"].as_string() == "service_stop")
                && lost) {
                const std::int64_t at = world.clock.monotonic_ms() + after_ms;
                world.transport.at(
                    at, [&world, host, at] { world.transport.lose(host, at + k_away_ms); });
            }
            return true;
        });
        const ConductorRun life = world.conduct(*up.plan);
        ASSERT_EQ(life.state.phase(), run::Phase::halted);
        causes.insert(life.halt["cause"].as_string());
        EXPECT_NE(life.halt["remedy"].as_string(), "");
        world.advance_time(k_away_ms);
        const SimulationResult ending = world.run_to_completion(*up.plan, {});
        EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
            << ending.final_state.halt.dump();
        EXPECT_EQ(ending.violations.size(), 0U);
        for (const char* member : {"m1", "m2", "m3"}) {
            EXPECT_EQ(world.etcd.node(member).stops, 1) << member;
        }
    }
    EXPECT_GE(causes.size(), 2U) << *causes.begin();
}

// A promise that compares two readings of the members ("has caught up") could not be read in time.
// A resume reads it twice, and does not halt for want of the reading before.
TEST(SimStory, SeesAfterAResumeWhatCouldNotBeReadBefore) {
    World world(Faults(1), k_old);
    const auto up = world.compile("upgrade", k_old, k_new, "roll");
    ASSERT_TRUE(up.plan) << text(up);
    bool mute = false;
    bool healed = false;
    world.transport.on_request([&](const std::string&, const Json& frame) {
        mute = mute || frame["request"]["kind"].as_string() == "service_start";
        return healed || !mute || frame["do"].as_string() != "probe";
    });
    const ConductorRun life = world.conduct(*up.plan);
    ASSERT_EQ(life.state.phase(), run::Phase::halted);
    bool unseen = false;
    for (std::size_t i = 0; i < life.state.actions(); ++i) {
        unseen = unseen || life.state.status(i) == run::Status::unverified;
    }
    EXPECT_TRUE(unseen) << life.halt.dump();
    healed = true;
    const SimulationResult ending = world.run_to_completion(*up.plan, {});
    EXPECT_EQ(ending.final_state.state.phase(), run::Phase::finished)
        << ending.final_state.halt.dump();
    EXPECT_EQ(ending.violations.size(), 0U);
}

}  // namespace
}  // namespace drydock::sim
