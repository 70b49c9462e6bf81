// A reading knows what follows from facts as soon as these are in, whoever else is slow.
#include "executor/facts_reader.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <gtest/gtest.h>

namespace drydock::executor {
namespace {

constexpr std::int64_t k_slow_ms = 4'000;

// The host `slow` answers after four seconds, the others at once.
class Numbers final : public transport::IdleSystem {
public:
    agent::ProbeResult
    probe(const std::string& host, const Json&, std::int64_t& takes_ms) override {
        takes_ms = host == "slow" ? k_slow_ms : 1;
        return agent::known(Json(host == "slow" ? 9 : 4));
    }
};

model::FactSource read(const std::string& key, const std::string& host) {
    model::FactSource source;
    source.key = key;
    source.host = host;
    source.type = model::FactType::integer;
    source.probe.set("kind", "file")
        .set("type", std::string(model::name_of(model::FactType::integer)));
    return source;
}

model::FactSource derived(const std::string& key, std::vector<std::string> inputs) {
    model::FactSource source;
    source.key = key;
    source.type = model::FactType::integer;
    source.derive = model::Derivation::highest;
    source.inputs = std::move(inputs);
    return source;
}

struct Simulation {
    Simulation() {
        for (auto source : {read("a/x", "a"),
                            read("b/x", "b"),
                            read("s/x", "slow"),
                            derived("two", {"a/x", "b/x"}),
                            derived("of-two", {"two"}),
                            derived("three", {"a/x", "b/x", "s/x"})}) {
            sources.emplace(source.key, std::move(source));
        }
    }

    transport::FakeClock clock;
    transport::Faults faults{1};
    Numbers system;
    transport::FakeTransport transport{system, clock, faults};
    model::FactSources sources;
    AgentPool hosts{transport,
                    clock,
                    {{"a", {"a", {"to", "a"}, {}, "", ""}},
                     {"b", {"b", {"to", "b"}, {}, "", ""}},
                     {"slow", {"slow", {"to", "slow"}, {}, "", ""}}}};
};

// When each fact was there first, in milliseconds since the reading began.
std::map<std::string, std::int64_t> times_of(Simulation& site) {
    ProbeCache cache;
    std::vector<std::string> wanted;
    for (const auto& [key, source] : site.sources) {
        wanted.push_back(key);
    }
    FactRead reading(
        std::make_shared<const ReadPlan>(site.sources, wanted, cache), site.hosts, site.clock);
    std::map<std::string, std::int64_t> times;
    while (!reading.done()) {
        for (const Reply& reply : site.hosts.poll(1'000)) {
            reading.on_reply(reply, site.hosts);
        }
        for (const auto& [key, fact] : reading.book()) {
            times.emplace(key, site.clock.monotonic_ms() - reading.begun_ms());
        }
    }
    return times;
}

TEST(FactRead, DerivesWhatItCanBeforeASlowHostAnswers) {
    Simulation site;
    const auto times = times_of(site);
    ASSERT_EQ(times.size(), site.sources.size());
    for (const char* early : {"a/x", "b/x", "two", "of-two"}) {
        EXPECT_LT(times.at(early), k_slow_ms / 2) << early;
    }
    for (const char* late : {"s/x", "three"}) {
        EXPECT_GE(times.at(late), k_slow_ms) << late;
    }
}

}  // namespace
}  // namespace drydock::executor
