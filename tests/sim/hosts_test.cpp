// What a conductor permits until a moment of its own clock ends then on the host, too, though the
// two clocks do not run alike.
#include "executor/agent_pool.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <gtest/gtest.h>

namespace drydock::executor {
namespace {

class Nothing final : public transport::IdleSystem {
public:
    agent::ProbeResult probe(const std::string&, const Json&, std::int64_t&) override {
        return agent::known(Json(1));
    }
};

// It gains half a second in a thousand, the most that a kernel corrects a clock by.
class FastClock final : public os::Clock {
public:
    explicit FastClock(transport::FakeClock& inner) : inner_(inner) {}

    [[nodiscard]] std::int64_t wall_ms() override { return inner_.wall_ms(); }

    [[nodiscard]] std::int64_t monotonic_ms() override {
        return inner_.monotonic_ms() + inner_.monotonic_ms() / 2'000;
    }

private:
    transport::FakeClock& inner_;
};

constexpr std::int64_t k_hours_ms = 6 * 3'600 * 1'000;

// How much later than meant the host lets an action begin that was asked for at `now`.
std::int64_t late_by(transport::FakeTransport& transport,
                     transport::FakeClock& world,
                     AgentPool& hosts,
                     os::Clock& ours) {
    std::int64_t begin_by = 0;
    transport.on_request([&](const std::string&, const Json& frame) {
        begin_by = frame["begin_by_ms"].as_int(begin_by);
        return true;
    });
    Json request = Json::Object{{"do", "exec"}, {"run", "r"}, {"action", "a"}, {"attempt", 1}};
    request.set("request", Json(Json::Object{{"kind", "command"}}));
    request.set("begin_by_ms", ours.monotonic_ms() + 1'000);
    const std::int64_t asked = world.monotonic_ms();
    hosts.submit("h", std::move(request), ours.monotonic_ms() + 60'000);
    while (hosts.poll(1'000).empty()) {
    }
    transport.on_request([](const std::string&, const Json&) { return true; });
    return begin_by - (asked + 1'000);
}

// Whether the line is idle or busy: an answer every 200 ms, or a ping a minute.
class Drift : public testing::TestWithParam<std::int64_t> {};

INSTANTIATE_TEST_SUITE_P(Lines, Drift, testing::Values(200, 60'000));

TEST_P(Drift, PermitsForNoLonger) {
    transport::FakeClock world;
    transport::Faults faults{1};
    Nothing system;
    transport::FakeTransport transport{system, world, faults};
    FastClock ours(world);
    AgentPool hosts(transport, ours, {{"h", {"h", {"to", "h"}, {}, "", ""}}});
    hosts.become({.epoch = 1});
    EXPECT_LE(late_by(transport, world, hosts, ours), 1);
    const std::int64_t end = world.monotonic_ms() + k_hours_ms;
    while (world.monotonic_ms() < end) {
        hosts.submit("h",
                     Json::Object{{"do", "probe"}, {"probes", Json::Array{}}},
                     ours.monotonic_ms() + 60'000);
        const std::int64_t next = world.monotonic_ms() + GetParam();
        while (world.monotonic_ms() < next) {
            hosts.poll(next - world.monotonic_ms());
        }
    }
    EXPECT_LE(late_by(transport, world, hosts, ours), 100);
}

}  // namespace
}  // namespace drydock::executor
