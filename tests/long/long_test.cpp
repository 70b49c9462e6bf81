// Long actions: progress reaches people and the journal, a stall limit moves with it, and a pause
// or an abort ends early what may be ended early. One member whose data are moved, on the fake
// host.
#include "executor/run_session.h"
#include "journal/memory/memory_journal.h"
#include "run/grammar.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"

#include <gtest/gtest.h>

namespace drydock::executor {
namespace {

using model::Action;
using run::Event;
using run::EventType;
using run::Outcome;

constexpr std::int64_t k_second = 1'000;
const agent::ActionKey k_first = {"r1", "move/m1/data", 1};

// The data of one member, moved or not.
class Mover final : public transport::IdleSystem {
public:
    agent::ActionResult command(const std::string&, const Json&) override {
        moved = true;
        return {};
    }

    agent::ProbeResult probe(const std::string&, const Json&, std::int64_t&) override {
        return agent::known(moved);
    }

    bool host_dies(const std::string&) override { return false; }

    bool moved = false;
};

model::Condition moved_is(bool value) {
    model::Condition condition = {
        .fact = "moved", .quantifier = model::Quantifier::self, .relation = model::Relation::is};
    condition.operand = value;
    condition.type = model::FactType::boolean;
    return condition;
}

model::Plan make_plan() {
    model::Plan plan;
    plan.run = "r1";
    plan.cluster = "demo";
    plan.roles = {{"member", 0, {"m1"}}};
    plan.hosts["a"] = {"a", {}, {}, "", "/s"};
    plan.member_hosts["m1"] = "a";
    model::FactSource source;
    source.key = "m1/moved";
    source.member = "m1";
    source.name = "moved";
    source.type = model::FactType::boolean;
    source.host = "a";
    source.probe = Json::Object{{"kind", "file"}};
    plan.sources.emplace(source.key, source);
    plan.bound_facts["m1/moved"] = {model::ObservationStatus::known, false, "the plan", 0};
    Action move;
    move.id = k_first.action;
    move.phase = "move";
    move.verb = model::Verb::run;
    move.title = "move data";
    move.member = "m1";
    move.host = "a";
    move.request = Json::Object{{"kind", "command"}};
    move.postconditions = {moved_is(true)};
    move.completion_check = {moved_is(true)};
    move.effects = {{model::EffectKind::becomes, "m1", "moved", true}};
    move.timeout_ms = 600 * k_second;
    move.guard_timeout_ms = 10 * k_second;
    plan.actions = {move};
    return plan;
}

class Ear final : public run::Observer {
public:
    explicit Ear(os::Clock& clock) : clock_(clock) {}

    void on_event(const Event& event, const model::Plan&, const run::State&) override {
        events.push_back(event);
        at_ms.push_back(clock_.monotonic_ms());
    }

    void on_progress(const Event& event, const model::Plan&, const run::State&) override {
        told.push_back(event);
    }

    [[nodiscard]] std::vector<Event> of(EventType type) const {
        std::vector<Event> found;
        std::copy_if(events.begin(),
                     events.end(),
                     std::back_inserter(found),
                     [&](const Event& event) { return event.type == type; });
        return found;
    }

    std::vector<Event> events;
    std::vector<std::int64_t> at_ms;
    std::vector<Event> told;

private:
    os::Clock& clock_;
};

class LongAction : public testing::Test {
protected:
    LongAction() {
        transport_.host("a").hold();
        transport_.on_request(
            [this](const std::string&, const Json& frame) { return pass(frame); });
    }

    void TearDown() override {
        std::vector<run::CompactEvent> moves(ear_.events.begin(), ear_.events.end());
        EXPECT_EQ(run::first_violation(run::Program(plan_), moves), std::nullopt);
    }

    // Begins the run, or goes on with it, until it has stopped.
    Status conduct() {
        const auto session = make_session();
        const Status taken = began_ ? session->take() : session->begin(Json::Object{});
        began_ = true;
        const Status ran = taken ? session->conduct() : taken;
        state_ = session->state();
        return ran;
    }

    std::unique_ptr<RunSession> make_session() {
        SessionSettings settings;
        settings.holder = {"here", 1, clock_.wall_ms()};
        settings.user = "a person";
        settings.boot_id = "conductor";
        settings.addresses = addresses_of(plan_.hosts);
        return std::make_unique<RunSession>(
            plan_, SessionPorts{*journal_, transport_, clock_, ear_}, std::move(settings));
    }

    // So long after the first command to begin arrived.
    void after_begin(std::int64_t after_ms, std::function<void()> what) {
        planned_.emplace_back(after_ms, std::move(what));
    }

    void set_progress(std::int64_t after_ms, double done) {
        after_begin(after_ms, [this, done] {
            Json progress = Json::Object{{"done", done}, {"of", 10}, {"rate", 0.1}};
            transport_.host("a").set_progress(k_first, progress.set("unit", "GB"));
        });
    }

    void finish(const agent::ActionKey& key) {
        transport_.host("a").take_effect(key);
        transport_.host("a").finish(key);
    }

    void post(const std::string& kind) {
        ASSERT_TRUE(journal::open_memory(store_)->post_request("r1", {0, kind, "ada", 0, {}, ""}));
    }

    [[nodiscard]] int sent(const std::string& request) const {
        return static_cast<int>(std::count(sent_.begin(), sent_.end(), request));
    }

    [[nodiscard]] std::int64_t since_begin_ms(std::size_t event) const {
        return ear_.at_ms.at(event) - begun_ms_;
    }

    transport::FakeClock clock_;
    transport::Faults faults_ = transport::Faults(1);
    Mover system_;
    transport::FakeTransport transport_ = {system_, clock_, faults_};
    std::shared_ptr<journal::MemoryStore> store_ = journal::make_memory_store();
    std::unique_ptr<journal::Journal> journal_ = journal::open_memory(store_);
    Ear ear_ = Ear(clock_);
    model::Plan plan_ = make_plan();
    run::State state_;
    std::function<bool(const Json& frame)> loses_ = [](const Json&) { return false; };

private:
    bool pass(const Json& frame) {
        const std::string& what = frame["do"].as_string();
        sent_.push_back(what);
        if (what == "exec" && begun_ms_ == 0) {
            begun_ms_ = clock_.monotonic_ms();
            for (auto& [after_ms, action] : planned_) {
                transport_.at(begun_ms_ + after_ms, std::move(action));
            }
        }
        return !loses_(frame);
    }

    std::vector<std::pair<std::int64_t, std::function<void()>>> planned_;
    std::vector<std::string> sent_;
    std::int64_t begun_ms_ = 0;
    bool began_ = false;
};

// A person sees it move; the journal of a copy of hours is not flooded.
TEST_F(LongAction, TellsItsProgressToPeopleAndNowAndThenToTheJournal) {
    for (int second = 1; second <= 100; ++second) {
        set_progress(second * k_second, second / 10.0);
    }
    after_begin(101 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    EXPECT_GE(ear_.told.size(), 95U);
    const auto recorded = ear_.of(EventType::action_progress);
    ASSERT_EQ(recorded.size(), 3U);
    EXPECT_EQ(recorded[0].attempt, 1);
    EXPECT_NEAR(recorded[0].detail["done"].as_double(), 3.0, 0.15);
    EXPECT_EQ(recorded[0].detail["unit"].as_string(), "GB");
}

// What stands still is told once.
TEST_F(LongAction, RecordsNoProgressThatIsNone) {
    for (int second = 1; second <= 100; ++second) {
        set_progress(second * k_second, 1);
    }
    after_begin(101 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(ear_.of(EventType::action_progress).size(), 1U);
}

// A wait of minutes is no stall that nobody explains: `status` reads the journal.
TEST_F(LongAction, RecordsWhatItWaitsForAndThatItWaitsNoMore) {
    const auto wait_at = [this](std::int64_t after_ms, const Json& report) {
        after_begin(after_ms,
                    [this, report] { transport_.host("a").set_progress(k_first, report); });
    };
    const Json wait = Json::Object{{"for", "a lock"}, {"since_ms", 1}, {"until_ms", 2}};
    wait_at(1 * k_second, Json(Json::Object{{"waits", wait}}));
    wait_at(2 * k_second, Json(Json::Object{}));  // over in a moment
    for (int second = 10; second < 20; ++second) {
        wait_at(second * k_second, Json(Json::Object{{"waits", wait}}));
    }
    for (int second = 20; second < 30; ++second) {
        wait_at(second * k_second, Json(Json::Object{}));
    }
    after_begin(31 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    const auto recorded = ear_.of(EventType::action_progress);
    ASSERT_EQ(recorded.size(), 2U);
    EXPECT_EQ(recorded[0].detail["waits"], wait);
    EXPECT_TRUE(recorded[1].detail["waits"].is_null());
}

// A short action costs no record more.
TEST_F(LongAction, RecordsNothingOfAShortAction) {
    set_progress(1 * k_second, 1);
    after_begin(2 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_TRUE(ear_.of(EventType::action_progress).empty());
    EXPECT_EQ(ear_.told.size(), 1U);
}

// An hour of copying with a limit of a minute, as long as it moves.
TEST_F(LongAction, MayTakeAnyTimeWhileItMoves) {
    plan_.actions[0].timeout_ms = 10 * k_second;
    plan_.actions[0].stall_ms = 60 * k_second;
    for (std::int64_t minute = 1; minute <= 60; ++minute) {
        set_progress(minute * 55 * k_second, static_cast<double>(minute));
    }
    after_begin(3'360 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    const auto ended = ear_.of(EventType::action_ended);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].outcome, Outcome::done);
}

// An agent that says nothing new for longer than that is asked; its answer was not believed to be
// a failure.
TEST_F(LongAction, IsAskedAboutOnceItStandsStill) {
    plan_.actions[0].stall_ms = 60 * k_second;
    for (int second = 1; second <= 100; ++second) {
        set_progress(second * k_second, std::min(second, 50));
    }
    after_begin(400 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    const auto at = std::find_if(ear_.events.begin(), ear_.events.end(), [](const Event& event) {
        return event.type == EventType::action_ended;
    });
    ASSERT_NE(at, ear_.events.end());
    EXPECT_EQ(at->outcome, Outcome::unknown);
    const auto late_ms = since_begin_ms(static_cast<std::size_t>(at - ear_.events.begin()));
    EXPECT_GE(late_ms, 50 * k_second + 60 * k_second);
    EXPECT_LE(late_ms, 50 * k_second + 60 * k_second + k_answer_grace_ms + 2 * k_second);
    EXPECT_GE(sent("attach"), 1);
}

// A pause must not wait for a copy of hours; the resume goes on where it was ended.
TEST_F(LongAction, IsCancelledOnceByAPause) {
    plan_.actions[0].cancellable = true;
    set_progress(10 * k_second, 3.2);
    after_begin(20 * k_second, [this] { post("pause"); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::paused);
    EXPECT_LT(clock_.monotonic_ms(), 30 * k_second);
    EXPECT_EQ(sent("cancel"), 1);
    const auto ended = ear_.of(EventType::action_ended);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].outcome, Outcome::unknown);
    EXPECT_TRUE(ended[0].detail["cancelled"].as_bool());
    EXPECT_EQ(ended[0].detail["because"].as_string(), "cancelled at 3.2 of 10 GB (32 %)");
    EXPECT_EQ(ended[0].detail["evidence"]["progress"]["done"].as_double(), 3.2);
    const auto paused = ear_.of(EventType::run_paused);
    ASSERT_EQ(paused.size(), 1U);
    EXPECT_EQ(paused[0].detail["because"].as_string(),
              "m1: move data: cancelled at 3.2 of 10 GB (32 %); goes on from there on resume");
    transport_.host("a").hold(false);
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    EXPECT_EQ(state_.attempt(0), 2);
    EXPECT_EQ(sent("cancel"), 1);
}

// A mover stops at a safe place by its own word. So nobody asks what became of it, and it goes on
// although it may not be repeated.
TEST_F(LongAction, PausesAtASafePlaceAndGoesOn) {
    Action& move = plan_.actions[0];
    move.request.set("stop_within_ms", 60 * k_second);
    move.repeatable = model::Repeatable::no;
    move.completion_check.clear();
    set_progress(10 * k_second, 3.2);
    after_begin(20 * k_second, [this] { post("pause"); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::paused);
    EXPECT_EQ(sent("cancel"), 1);
    EXPECT_EQ(sent("attach"), 0);
    const auto ended = ear_.of(EventType::action_ended);
    ASSERT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended[0].outcome, Outcome::paused);
    EXPECT_EQ(ended[0].detail["because"].as_string(), "paused at 3.2 of 10 GB (32 %)");
    EXPECT_EQ(ear_.of(EventType::run_paused).at(0).detail["because"].as_string(),
              "m1: move data: paused at 3.2 of 10 GB (32 %); goes on from there on resume");
    transport_.host("a").hold(false);
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    EXPECT_EQ(state_.attempt(0), 2);
    EXPECT_EQ(state_.failures(0), 0);
}

// The conductor dies between its request and the answer: the next one learns of the pause, and as
// nobody has asked it to stop, it goes on at once.
TEST_F(LongAction, PausedForADeadConductorGoesOnAtOnce) {
    plan_.actions[0].request.set("stop_within_ms", 60 * k_second);
    transport::FakeHost& host = transport_.host("a");
    after_begin(20 * k_second, [&] {
        ASSERT_TRUE(host.cancel({"memory", 1}, k_first));
        host.hold(false);
    });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::finished);
    EXPECT_EQ(ear_.of(EventType::action_ended).at(0).outcome, Outcome::paused);
    EXPECT_EQ(state_.attempt(0), 2);
}

// The pack's script tells two amounts. People see a rate and a rest all the same.
TEST_F(LongAction, HasARateAlsoIfItsCommandTellsNone) {
    for (int second = 1; second <= 40; ++second) {
        after_begin(second * k_second, [this, second] {
            transport_.host("a").set_progress(k_first,
                                              Json::Object{{"done", second * 2}, {"of", 100}});
        });
    }
    after_begin(41 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_NEAR(ear_.told.back().detail["rate"].as_double(), 2, 0.1);
    const auto recorded = ear_.of(EventType::action_progress);
    ASSERT_EQ(recorded.size(), 1U);
    EXPECT_NEAR(recorded[0].detail["rate"].as_double(), 2, 0.1);
}

// Half-way can be worse than waiting: only what the pack allows.
TEST_F(LongAction, IsNotCancelledUnlessThePackAllowsIt) {
    after_begin(20 * k_second, [this] { post("pause"); });
    after_begin(90 * k_second, [this] { finish(k_first); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(sent("cancel"), 0);
    EXPECT_GE(clock_.monotonic_ms(), 90 * k_second);
    EXPECT_EQ(ear_.of(EventType::action_ended).at(0).outcome, Outcome::done);
}

TEST_F(LongAction, IsCancelledByAnAbort) {
    plan_.actions[0].cancellable = true;
    after_begin(20 * k_second, [this] { post("abort"); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::aborted);
    EXPECT_LT(clock_.monotonic_ms(), 30 * k_second);
    EXPECT_EQ(sent("cancel"), 1);
    EXPECT_EQ(ear_.of(EventType::run_paused).at(0).detail["because"].as_string(),
              "m1: move data: cancelled");
}

// The request to cancel got lost: the agent has not heard it, so it is asked once more.
TEST_F(LongAction, IsCancelledThoughTheFirstRequestIsLost) {
    plan_.actions[0].cancellable = true;
    loses_ = [this](const Json& frame) {
        return frame["do"].as_string() == "cancel" && sent("cancel") == 1;
    };
    after_begin(20 * k_second, [this] { post("pause"); });
    ASSERT_TRUE(conduct());
    EXPECT_EQ(state_.phase(), run::Phase::paused);
    EXPECT_EQ(sent("cancel"), 2);
}

// Nobody can tell whether it was done before it was ended: the halt says both.
TEST_F(LongAction, SaysInAHaltThatItWasCancelled) {
    plan_.actions[0].cancellable = true;
    plan_.actions[0].completion_check.clear();
    plan_.actions[0].repeatable = model::Repeatable::no;
    set_progress(10 * k_second, 3.2);
    after_begin(20 * k_second, [this] { post("pause"); });
    ASSERT_TRUE(conduct());
    ASSERT_EQ(state_.phase(), run::Phase::halted);
    const std::string cause = ear_.of(EventType::run_halted).at(0).detail["cause"].as_string();
    EXPECT_NE(
        cause.find("move data: cancelled at 3.2 of 10 GB (32 %); goes on from there on resume"),
        std::string::npos)
        << cause;
}

// What another conductor began is cancelled, too, and what became of it stands in the journal.
TEST_F(LongAction, IsCancelledByWhoTakesTheRunOver) {
    plan_.actions[0].cancellable = true;
    set_progress(10 * k_second, 3.2);
    transport::FakeHost& host = transport_.host("a");
    after_begin(20 * k_second, [&] { ASSERT_TRUE(host.fence({"demo", "memory", 7}, false)); });
    after_begin(21 * k_second, [this] { transport_.lose("a", clock_.monotonic_ms() + 100); });
    ASSERT_FALSE(conduct()) << "a host that obeys another one ends it";
    for (int i = 0; i < 8; ++i) {  // until its epoch is the higher one
        const auto session = make_session();
        ASSERT_TRUE(session->take());
        if (session->drain_for_downgrade()) {
            state_ = session->state();
            break;
        }
    }
    EXPECT_EQ(state_.phase(), run::Phase::paused);
    EXPECT_EQ(sent("cancel"), 1);
    const auto attached = ear_.of(EventType::action_attached);
    ASSERT_FALSE(attached.empty());
    EXPECT_EQ(attached.back().outcome, Outcome::interrupted);
    EXPECT_EQ(attached.back().detail["because"].as_string(), "cancelled at 3.2 of 10 GB (32 %)");
}

}  // namespace
}  // namespace drydock::executor
