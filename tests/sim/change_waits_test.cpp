// How soon a question notices a change of an object of Kubernetes, and what waiting for it costs.
#include "executor/condition_poller.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <gtest/gtest.h>

namespace drydock::executor {
namespace {

constexpr std::int64_t k_changes_ms = 60'000;  // after the question was asked

enum class Tells { changes, refuses, hangs };

// The facts of the cluster are true from a moment on, and its agent tells that moment, or not.
class Cluster final : public transport::IdleSystem {
public:
    Cluster(os::Clock& clock, Tells tells) : clock_(clock), tells_(tells), begun_(now()) {}

    agent::ProbeResult
    probe(const std::string&, const Json& probe, std::int64_t& takes_ms) override {
        const std::int64_t left_ms = begun_ + k_changes_ms - now();
        takes_ms = 1;
        if (probe["kind"].as_string() != "change") {
            ++readings;
            return agent::known(left_ms <= 0);
        }
        ++waits;
        seen = probe["seen"];
        if (tells_ == Tells::refuses) {
            return agent::cannot_tell("no right to watch");
        }
        takes_ms = probe["deadline_ms"].as_int();
        takes_ms =
            tells_ == Tells::changes ? std::clamp<std::int64_t>(left_ms, 1, takes_ms) : takes_ms;
        return agent::known(true);
    }

    int readings = 0;
    int waits = 0;
    Json seen;

private:
    [[nodiscard]] std::int64_t now() const { return clock_.monotonic_ms(); }

    os::Clock& clock_;
    Tells tells_;
    std::int64_t begun_;
};

model::FactSource source(const std::string& name, const std::string& kind) {
    model::FactSource source;
    source.key = name;
    source.name = name;
    source.host = "a";
    source.type = model::FactType::boolean;
    source.probe.set("kind", kind).set("type", "bool");
    return source;
}

model::Condition is_true(const std::string& fact) {
    model::Condition condition;
    condition.fact = fact;
    condition.operand = true;
    condition.type = model::FactType::boolean;
    return condition;
}

model::Plan plan_of(const std::vector<model::FactSource>& sources) {
    model::Plan plan;
    model::Action action;
    action.id = "wait";
    action.timeout_ms = 10 * k_changes_ms;
    for (const model::FactSource& one : sources) {
        action.postconditions.push_back(is_true(one.name));
        plan.sources.emplace(one.key, one);
    }
    plan.actions.push_back(std::move(action));
    return plan;
}

struct Waited {
    std::int64_t late_ms = 0;
    int readings = 0;
    int waits = 0;
    Json seen;
};

Waited wait(const model::Plan& plan, Tells tells) {
    transport::FakeClock clock;
    transport::Faults faults{1};
    Cluster system(clock, tells);
    transport::FakeTransport transport{system, clock, faults};
    AgentPool hosts{transport, clock, {{"a", {"a", {"to", "a"}, {}, "", ""}}}};
    const run::State state(plan.actions.size());
    ConditionPoller poller(
        plan, state, hosts, clock, std::make_shared<ReadPlanCache>(plan.sources));
    const std::int64_t begun_ms = clock.monotonic_ms();
    poller.submit(0, run::Purpose::then);
    std::vector<Judgement> judgements;
    while (judgements.empty()) {
        judgements = poller.step(false);
        const std::int64_t due_ms = poller.next_due_ms() - clock.monotonic_ms();
        for (const Reply& reply : hosts.poll(std::clamp<std::int64_t>(due_ms, 0, 1'000))) {
            poller.on_reply(reply, judgements);
        }
    }
    EXPECT_EQ(judgements.front().event.outcome, run::Outcome::yes);
    return {
        clock.monotonic_ms() - begun_ms - k_changes_ms, system.readings, system.waits, system.seen};
}

TEST(ChangeWaits, AChangeThatIsToldIsReadAtOnce) {
    const Waited waited = wait(plan_of({source("moved", "kubernetes")}), Tells::changes);
    EXPECT_LT(waited.late_ms, 50);
    EXPECT_LT(waited.readings, 50);
    EXPECT_LE(waited.waits, 4);
    EXPECT_EQ(waited.seen.dump(), R"({"status":"known","value":false})");
}

TEST(ChangeWaits, WhereNobodyTellsTheIntervalIsAsEver) {
    const Waited waited = wait(plan_of({source("moved", "kubernetes")}), Tells::refuses);
    EXPECT_LT(waited.late_ms, k_poll_ms_max + 50);
    EXPECT_GT(waited.readings, 200);
    EXPECT_LE(waited.waits, 7);
}

TEST(ChangeWaits, AWaitThatHangsHidesNothingForLong) {
    const Waited waited = wait(plan_of({source("moved", "kubernetes")}), Tells::hangs);
    EXPECT_LT(waited.late_ms, k_poll_told_ms_max + 50);
    EXPECT_LT(waited.readings, 50);
}

TEST(ChangeWaits, FactsOfOtherKindsAreReadAtTheirInterval) {
    const Waited waited =
        wait(plan_of({source("moved", "kubernetes"), source("written", "file")}), Tells::changes);
    EXPECT_LT(waited.late_ms, k_poll_ms_max + 50);
    EXPECT_EQ(waited.waits, 0);
}

TEST(ChangeWaits, TwoReadingsThatAreComparedComeAtTheirInterval) {
    model::Plan plan = plan_of({source("moved", "kubernetes")});
    plan.actions[0].postconditions.push_back(is_true("moved"));
    plan.actions[0].postconditions[1].relation = model::Relation::unchanged;
    EXPECT_EQ(wait(plan, Tells::changes).waits, 0);
}

TEST(ChangeWaits, EachOfTwoFactsIsWaitedForByItself) {
    const Waited waited = wait(
        plan_of({source("moved", "kubernetes"), source("scaled", "kubernetes")}), Tells::changes);
    EXPECT_LT(waited.late_ms, 50);
    EXPECT_LE(waited.waits, 8);
}

}  // namespace
}  // namespace drydock::executor
