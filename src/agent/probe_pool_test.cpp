// Probes whose threads hang, as on a file system that does not answer.
#include "agent/probe.h"
#include "agent/probe_pool.h"
#include "agent/test_world.h"
#include "os/clock.h"

#include <future>

namespace drydock::agent {
namespace {

class HangingProbes : public testing::Test {
protected:
    ~HangingProbes() override { release(); }

    void release() {
        if (!std::exchange(released_, true)) {
            gate_.set_value();
        }
    }

    std::unique_ptr<ProbeRun> start(const std::string& kind, std::size_t count, int deadline_ms) {
        Json probes{Json::Array{}};
        for (std::size_t i = 0; i < count; ++i) {
            Json probe;
            probes.push(probe.set("id", "p").set("kind", kind).set("deadline_ms", deadline_ms));
        }
        return prober_->start(probes);
    }

    static Json facts_of(ProbeRun& run) {
        for (;;) {
            if (auto facts = run.poll()) {
                return *facts;
            }
            std::this_thread::yield();
        }
    }

    static std::string problem(const Json& fact) { return fact["evidence"]["problem"].as_string(); }

    std::promise<void> gate_;
    std::shared_future<void> open_ = gate_.get_future().share();
    bool released_ = false;
    std::unique_ptr<Prober> prober_ =
        std::make_unique<Prober>([] {},
                                 [open = open_](const Json& probe, std::int64_t) {
                                     if (probe["kind"].as_string() == "hang") {
                                         open.wait();
                                     }
                                     return known("quick");
                                 });
};

TEST_F(HangingProbes, are_unknown_at_their_deadline) {
    const auto run = start("hang", 1, 50);
    EXPECT_FALSE(run->poll());
    EXPECT_TRUE(run->next_deadline_ms());
    const Json facts = facts_of(*run);
    EXPECT_EQ(facts.items()[0]["status"].as_string(), "unknown");
    EXPECT_EQ(problem(facts.items()[0]), "did not answer within 50 ms");
    EXPECT_GE(facts.items()[0]["after_ms"].as_int(), 50);
    release();
    EXPECT_EQ(facts_of(*run), facts) << "a late answer changes nothing";
}

TEST_F(HangingProbes, do_not_eat_the_pool) {
    const auto hung = start("hang", k_probe_threads_max, 20);
    const auto quick = start("quick", 1, 10'000);
    EXPECT_EQ(facts_of(*quick).items()[0]["value"].as_string(), "quick");
}

// In the end the host is ill, and says so.
TEST_F(HangingProbes, are_told_of_when_no_thread_is_left) {
    const auto hung = start("hang", k_probe_threads_max + k_lost_threads_max, 500);
    (void)facts_of(*hung);
    const auto more = start("hang", k_probe_threads_max + k_lost_threads_max, 500);
    (void)facts_of(*more);
    const auto quick = start("quick", 1, 50);
    EXPECT_EQ(problem(facts_of(*quick).items()[0]),
              "was not asked within 50 ms: 32 earlier probes hang on this host");
    release();
    const auto again = start("quick", 1, 10'000);
    EXPECT_EQ(facts_of(*again).items()[0]["value"].as_string(), "quick");
}

TEST_F(HangingProbes, keep_nobody_from_ending) {
    const auto run = start("hang", 1, 20);
    (void)facts_of(*run);
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    prober_.reset();
    EXPECT_LT(clock.monotonic_ms() - start_ms, 5'000);
}

}  // namespace
}  // namespace drydock::agent
