// The conversation over a host in memory: numbers, waiting, bad frames.
#include "agent/action_key.h"
#include "agent/session.h"

#include <fmt/format.h>

namespace drydock::agent {
namespace {

Json json(const std::string& text) {
    return Json::parse(text).value();
}

class HeldClock final : public os::Clock {
public:
    std::int64_t wall_ms() override { return now_ms; }

    std::int64_t monotonic_ms() override { return now_ms; }

    std::int64_t now_ms = 0;
};

class LateRun final : public ProbeRun {
public:
    explicit LateRun(const bool& ready) : ready_(ready) {}

    std::optional<Json> poll() override {
        return ready_ ? std::optional(Json(Json::Array{1})) : std::nullopt;
    }

private:
    const bool& ready_;
};

class MemoryHost final : public Host {
public:
    explicit MemoryHost(HeldClock& time) : clock(time) {}

    Json facts() override { return json(R"({"version":"0"})"); }

    Result<std::int64_t> fence(Owner owner, bool) override { return owner.epoch; }

    Status check(const Commander& commander) override { return fences.check(commander); }

    Status begin(const Permit& permit, const ActionKey&, const Json&, const Json&) override {
        begun += permit.is_late(clock.monotonic_ms()) ? 0 : 1;
        return {};
    }

    Status bury(const ActionKey&) override {
        ++buried;
        return burial;
    }

    ActionState query(const ActionKey&) override { return state; }

    Status cancel(const Commander&, const ActionKey&) override { return {}; }

    Result<std::vector<RunningAction>> running() override {
        return std::vector<RunningAction>{{{"r", "a/b", 2}, "j"}};
    }

    std::set<NotedHead> heads(const std::string&) override { return {}; }

    std::unique_ptr<ProbeRun> probe(const Json&) override {
        return std::make_unique<LateRun>(ready);
    }

    Status put(const Commander&, const PutPart&) override { return {}; }

    Result<FilePart> get(const std::string&, std::int64_t, std::int64_t) override {
        return FilePart{"x", 1};
    }

    ActionState state{ActionPhase::running, Json("half")};
    bool ready = false;
    int begun = 0;
    int buried = 0;
    Status burial;
    FenceRegistry fences;
    HeldClock& clock;
};

class Conversation : public testing::Test {
protected:
    std::vector<Json> say(const std::string& frame) { return session_.handle(json(frame)); }

    static std::string code(const std::vector<Json>& answers) {
        return answers.empty() ? "none" : answers.front()["error"]["code"].as_string();
    }

    HeldClock clock_;
    MemoryHost host_{clock_};
    Session session_{host_, clock_};
};

constexpr const char* k_exec =
    R"({"n":1,"do":"exec","epoch":1,"run":"r","action":"a","attempt":1,"request":{}})";

TEST_F(Conversation, answers_an_action_when_it_ended_and_shows_progress_before) {
    EXPECT_TRUE(say(k_exec).empty());
    EXPECT_TRUE(session_.tick().empty());
    clock_.now_ms = k_progress_every_ms;
    EXPECT_EQ(session_.tick(), std::vector<Json>{json(R"({"n":1,"progress":"half"})")});
    EXPECT_TRUE(session_.tick().empty());
    host_.state = {ActionPhase::ended, Json("result")};
    EXPECT_EQ(session_.tick(),
              std::vector<Json>{json(R"({"n":1,"state":"ended","result":"result"})")});
    EXPECT_FALSE(session_.has_pending());
}

TEST_F(Conversation, answers_a_ping_at_once_whatever_waits) {
    EXPECT_TRUE(say(k_exec).empty());
    EXPECT_EQ(say(R"({"n":2,"do":"ping"})"), std::vector<Json>{json(R"({"n":2,"clock_ms":0})")});
    EXPECT_TRUE(session_.has_pending());
}

// Its folder is gone, and the tombstone of another beginning cannot be written: it may run still.
TEST_F(Conversation, tells_no_refusal_of_an_action_that_was_begun) {
    EXPECT_TRUE(say(k_exec).empty());
    host_.state = {ActionPhase::none, {}};
    host_.burial = fail("os.missing", "there is no such folder");
    const auto answers = session_.tick();
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0]["error"]["class"].as_string(), "unknown_outcome");
}

TEST_F(Conversation, answers_probes_when_they_are_ready_and_others_before) {
    EXPECT_TRUE(say(R"({"n":1,"do":"probe","probes":[]})").empty());
    EXPECT_EQ(say(R"({"n":2,"do":"fence","epoch":7})"),
              std::vector<Json>{json(R"({"n":2,"fence":7,"clock_ms":0})")});
    EXPECT_TRUE(session_.tick().empty());
    host_.ready = true;
    clock_.now_ms = 5;
    EXPECT_EQ(session_.tick(), std::vector<Json>{json(R"({"n":1,"facts":[1],"clock_ms":5})")});
}

TEST_F(Conversation, says_what_runs) {
    EXPECT_EQ(say(R"({"n":3,"do":"hello"})"),
              std::vector<Json>{json(R"({"n":3,"version":"0","clock_ms":0,
                  "running":[{"run":"r","action":"a/b","attempt":2,"journal":"j"}]})")});
}

// The request was sent on facts that are old by now. An action that began in time is reported as
// ever.
TEST_F(Conversation, begins_nothing_that_came_too_late) {
    const auto exec = [](int number, int by_ms) {
        return fmt::format(R"({{"n":{},"do":"exec","epoch":1,"run":"r","action":"a","attempt":1,
                                "request":{{}},"begin_by_ms":{}}})",
                           number,
                           by_ms);
    };
    clock_.now_ms = 100;
    host_.state.phase = ActionPhase::none;
    EXPECT_EQ(say(exec(1, 99)), std::vector<Json>{json(R"({"n":1,"state":"none"})")});
    EXPECT_EQ(host_.begun, 0);
    EXPECT_EQ(host_.buried, 1);
    EXPECT_EQ(say(exec(2, 100)), std::vector<Json>{json(R"({"n":2,"state":"none"})")});
    EXPECT_EQ(host_.begun, 1);
    host_.state = {ActionPhase::ended, Json("result")};
    EXPECT_EQ(say(exec(3, 99)),
              std::vector<Json>{json(R"({"n":3,"state":"ended","result":"result"})")});
}

// "none" is said for good, or not at all.
TEST_F(Conversation, says_none_only_of_a_buried_key) {
    host_.state.phase = ActionPhase::none;
    host_.burial = fail("os.disk_full", "no space left");
    const char* ask = R"({"n":1,"do":"attach","run":"r","action":"a","attempt":1})";
    EXPECT_EQ(code(say(ask)), "os.disk_full");
    EXPECT_EQ(say(R"({"n":1,"do":"attach","wait":false,"run":"r","action":"a","attempt":1})"),
              std::vector<Json>{json(R"({"n":1,"state":"none"})")});
    EXPECT_EQ(host_.buried, 1);
    host_.burial = fail("os.locked", "another agent begins something", {}, ErrorClass::transient);
    EXPECT_TRUE(say(ask).empty());
    EXPECT_TRUE(session_.tick().empty());
    host_.burial = {};
    EXPECT_EQ(session_.tick(), std::vector<Json>{json(R"({"n":1,"state":"none"})")});
}

// A displaced conductor that only reads must notice; a survey, which names no epoch, never does.
TEST_F(Conversation, refuses_what_a_displaced_journal_reads) {
    ASSERT_TRUE(host_.fences.fence({"c", "a", 1, "", 0, {}}, false));
    ASSERT_TRUE(host_.fences.fence({"c", "b", 1, "", 0, {}}, true));
    EXPECT_EQ(code(say(R"({"n":1,"do":"probe","probes":[],"journal":"a","epoch":1})")),
              "agent.fenced");
    EXPECT_EQ(code(say(R"({"n":1,"do":"attach","run":"r","action":"a","attempt":1,"journal":"a",
                           "epoch":1})")),
              "agent.fenced");
    EXPECT_TRUE(say(R"({"n":1,"do":"probe","probes":[]})").empty());
    EXPECT_TRUE(say(R"({"n":2,"do":"probe","probes":[],"journal":"b","epoch":1})").empty());
}

TEST_F(Conversation, refuses_what_it_does_not_understand) {
    for (const auto* frame : {
             R"({})",
             R"({"n":"1"})",
             R"({"n":1})",
             R"({"n":1,"do":7})",
             R"({"n":1,"do":"exec","run":"r","action":"a","attempt":1,"request":{}})",
             R"({"n":1,"do":"exec","epoch":1,"run":"r","action":"a","attempt":1})",
             R"({"n":1,"do":"exec","epoch":1,"run":"r","action":"a","attempt":-1,"request":{}})",
             R"({"n":1,"do":"cancel","run":"r","action":"a","attempt":1})",
             R"({"n":1,"do":"put","epoch":1,"path":"relative","data":""})",
             R"({"n":1,"do":"get","path":"/a/../b","epoch":1})",
             R"({"n":1,"do":"get","path":"/a/b"})",
             R"({"n":1,"do":"fence"})",
             R"({"n":1,"do":"fence","epoch":1,"owner":7})",
             R"({"n":1,"do":"probe","probes":[],"journal":"j"})",
         }) {
        EXPECT_EQ(code(say(frame)), "agent.bad_request") << frame;
    }
    EXPECT_EQ(host_.begun, 0);
}

// A number names one request at a time; the first one still gets its answer.
TEST_F(Conversation, refuses_a_number_that_still_waits) {
    say(k_exec);
    EXPECT_EQ(code(say(k_exec)), "agent.bad_request");
    EXPECT_EQ(host_.begun, 1);
    host_.state.phase = ActionPhase::interrupted;
    EXPECT_EQ(session_.tick(), std::vector<Json>{json(R"({"n":1,"state":"torn"})")});
}

// A command may outlive the connection that it was sent on: "never begun" is said when it no longer
// can begin.
TEST_F(Conversation, waits_for_what_may_still_begin) {
    const char* ask =
        R"({"n":1,"do":"attach","run":"r","action":"a","attempt":1,"begin_by_ms":50})";
    host_.state = {ActionPhase::none, {}};
    EXPECT_TRUE(say(ask).empty());
    clock_.now_ms = 50;
    EXPECT_TRUE(session_.tick().empty());
    clock_.now_ms = 51;
    EXPECT_EQ(session_.tick(), std::vector<Json>{json(R"({"n":1,"state":"none"})")});
    EXPECT_EQ(say(ask), std::vector<Json>{json(R"({"n":1,"state":"none"})")});

    clock_.now_ms = 0;
    EXPECT_TRUE(say(ask).empty());
    host_.state = {ActionPhase::ended, Json("result")};
    EXPECT_EQ(session_.tick(),
              std::vector<Json>{json(R"({"n":1,"state":"ended","result":"result"})")});
}

TEST(Key, becomes_a_folder_and_back) {
    const ActionKey key{"r", "roll/m1/stop", 12};
    EXPECT_EQ(folder_name(key), "roll+m1+stop.12");
    EXPECT_EQ(key_of("r", "roll+m1+stop.12"), key);
    EXPECT_FALSE(key_of("r", "roll"));
    EXPECT_FALSE(key_of("r", "roll.x"));
}

TEST(Errors, cross_the_conversation) {
    const Error error{"a.b", "message", "remedy", ErrorClass::unknown_outcome};
    EXPECT_EQ(read_error(to_json(error)), error);
    Json endless = to_json(error);
    endless.set("message", std::string(2'000'000, 'x')).set("remedy", std::string(9'000, 'y'));
    EXPECT_EQ(read_error(endless).message.size(), 4096U);
    EXPECT_EQ(read_error(endless).remedy.size(), 4096U);
}

}  // namespace
}  // namespace drydock::agent
