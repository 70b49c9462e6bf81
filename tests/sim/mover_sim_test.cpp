// A mover in a hostile night, with a person who pauses it again and again: it is one action with a
// partial effect, and goes on from wherever it was paused, cut off or failed.
#include "journal/memory/memory_journal.h"
#include "run/expected_facts.h"
#include "sim/small_plan.h"

#include <gtest/gtest.h>

namespace drydock::sim {
namespace {

using model::Verb;
using run::EventType;
using run::Outcome;
using transport::Faults;

constexpr int k_seeds = 60;
constexpr int k_pauses_max = 6;  // of one run
constexpr std::int64_t k_minute_ms = 60'000;
constexpr std::int64_t k_copy_ms = 40'000;

// Copies a bucket: `empty` before, `partial` from its begin, `whole` at its end.
model::Plan mover_plan() {
    SmallPlan small(1);
    small.fact("", "target", "empty");
    model::Action& copy = small.action("copy", Verb::run);
    copy.request.set("stop_within_ms", k_minute_ms);
    copy.effects = {becomes("", "target", "whole")};
    copy.meanwhile = {becomes("", "target", "partial")};
    small.roll("m1");
    return small.plan;
}

// The modelled system, with a copy that takes long enough to be paused.
class SlowCopy final : public transport::FakeSystem {
public:
    explicit SlowCopy(ModelledSystem& system) : system_(system) {}

    void advance(std::int64_t now_ms) override { system_.advance(now_ms); }

    agent::ActionResult start(const std::string& host, const Json& service) override {
        return system_.start(host, service);
    }

    agent::ActionResult stop(const std::string& host, const Json& service) override {
        return system_.stop(host, service);
    }

    agent::ActionResult
    link(const std::string& host, const std::string& link, const std::string& target) override {
        return system_.link(host, link, target);
    }

    agent::ActionResult command(const std::string& host, const Json& request) override {
        return system_.command(host, request);
    }

    agent::ActionResult http(const std::string& host, const Json& request) override {
        return system_.http(host, request);
    }

    [[nodiscard]] std::int64_t takes_ms(const Json& request) override {
        return request.contains("stop_within_ms") ? k_copy_ms : system_.takes_ms(request);
    }

    agent::ProbeResult
    probe(const std::string& host, const Json& probe, std::int64_t& takes_ms) override {
        return system_.probe(host, probe, takes_ms);
    }

    bool kill_one(std::int64_t choice) override { return system_.kill_one(choice); }

    bool host_dies(const std::string& host) override { return system_.host_dies(host); }

    void begin(const std::string& action) override { system_.begin(action); }

    void end(const std::string& action) override { system_.end(action); }

    bool restart_one(std::int64_t choice) override { return system_.restart_one(choice); }

    [[nodiscard]] bool can_restart() const override { return system_.can_restart(); }

    agent::ActionResult
    act(const std::string& host, const std::string& action, const Json& request) override {
        return system_.act(host, action, request);
    }

private:
    ModelledSystem& system_;
};

// One night of a seed.
class Night {
public:
    Night(const model::Plan& plan, std::uint64_t seed)
        : plan_(plan)
        , dice_(seed + 1)
        , faults_(Faults::hostile(seed, 3))
        , facts_(choose_initial_facts(plan, dice_))
        , system_(plan, facts_, faults_)
        , slow_copy_(system_)
        , simulation_(slow_copy_, clock_, faults_, environment()) {
        simulation_.schedule_faults(plan, 15 * k_minute_ms);
        result_ = simulation_.run_to_completion(plan, draw_crash_points(dice_), 40);
    }

    [[nodiscard]] bool is_finished() const {
        return result_.final_state.state.phase() == run::Phase::finished;
    }

    std::vector<Violation> violations() {
        std::vector<Violation> all = system_.violations();
        for (Violation& violation : check_result(simulation_, plan_, result_)) {
            all.push_back(std::move(violation));
        }
        return all;
    }

    int pauses_seen = 0;         // attempts that stopped at a safe place
    std::string target_at_rest;  // what was there when the first of them had stopped

private:
    Environment environment() {
        Environment environment;
        environment.open_journal = [this] { return journal::open_memory(store_); };
        environment.repair = [this](const model::Plan& plan, const ConductorRun& life) {
            system_.repair(life.halt, run::expected_facts(plan, life.state));
        };
        environment.at_gate = [](const std::string&, std::vector<Violation>&) {};
        environment.on_event = [this](const run::Event& event) { on_event(event); };
        return environment;
    }

    // A person pauses each attempt of the copy, up to some.
    void on_event(const run::Event& event) {
        const bool is_copy = run::is_of_action(event.type) && event.action == 0;
        if (is_copy && event.type == EventType::action_intended && pauses_asked_ < k_pauses_max) {
            ++pauses_asked_;
            (void)journal::open_memory(store_)->post_request(
                plan_.run, {.kind = "pause", .author = "ada", .detail = {}, .answer = {}});
        }
        if (is_copy && event.outcome == Outcome::paused && pauses_seen++ == 0) {
            target_at_rest = system_.book().at("target").value.as_string();
        }
    }

    const model::Plan& plan_;
    Faults dice_;
    Faults faults_;
    InitialFacts facts_;
    transport::FakeClock clock_;
    ModelledSystem system_;
    SlowCopy slow_copy_;
    std::shared_ptr<journal::MemoryStore> store_ = journal::make_memory_store();
    int pauses_asked_ = 0;
    Simulation simulation_;
    SimulationResult result_;
};

TEST(MoverSim, GoesOnFromEveryPause) {
    const model::Plan plan = mover_plan();
    int pauses = 0;
    for (std::uint64_t seed = 1; seed <= k_seeds; ++seed) {
        Night night(plan, seed);
        EXPECT_TRUE(night.is_finished()) << "seed " << seed;
        for (const Violation& violation : night.violations()) {
            ADD_FAILURE() << "seed " << seed << ": " << violation.property << ", "
                          << violation.description;
        }
        EXPECT_TRUE(night.pauses_seen == 0 || night.target_at_rest == "partial") << "seed " << seed;
        pauses += night.pauses_seen;
    }
    EXPECT_GT(pauses, k_seeds / 2) << "else this test proves nothing";
}

}  // namespace
}  // namespace drydock::sim
