// The local transport, with shell scripts in the agent's place.
#include "os/clock.h"
#include "os/process.h"
#include "transport/frames.h"
#include "transport/local/local.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace drydock::transport {
namespace {

class Local : public testing::Test {
protected:
    // An agent that is this script.
    void open(const std::string& script) {
        talk_ = transport_.open({"alpha", {"sh", "-c", script}, {}, "agent", "/state"}).value();
    }

    // Frames until `count` are there or the stream ends.
    std::vector<Json> receive(std::size_t count) {
        std::vector<Json> all;
        while (all.size() < count) {
            transport_.wait({talk_.get()}, 5000);
            const auto frames = talk_->receive();
            if (!frames) {
                error_ = frames.error();
                break;
            }
            all.insert(all.end(), frames->begin(), frames->end());
        }
        return all;
    }

    LocalTransport transport_;
    std::unique_ptr<Conversation> talk_;
    Error error_;
};

Json numbered(int number) {
    Json frame;
    return frame.set("n", number);
}

TEST_F(Local, echoes_frames_behind_a_banner) {
    open("echo welcome; echo 'drydock-agent 1'; exec cat");
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(talk_->send(numbered(i)));
    }
    const auto frames = receive(100);
    ASSERT_EQ(frames.size(), 100U);
    EXPECT_EQ(frames[99], numbered(99));
}

// A path that a shell on the way would interpret is refused; to this machine no shell is on the
// way.
TEST_F(Local, refuses_words_that_a_shell_would_read) {
    const auto open_at = [&](const HostAddress& host) { return transport_.open(host); };
    for (const char* word : {"/s; touch x", "/s x", "$(id)", "`id`", "/s\nid", "/s'", "/*", ""}) {
        EXPECT_EQ(open_at({"alpha", {"cat"}, {}, "agent", word}).error().code, "transport.word");
        EXPECT_EQ(open_at({"alpha", {"cat"}, {}, word, "/state"}).error().code, "transport.word");
    }
    EXPECT_TRUE(open_at({"alpha", {"cat"}, {"sudo"}, "~/a_b-1.2+c@d%e=f:g,h", "/state"}));
    EXPECT_TRUE(open_at({"alpha", {}, {}, "true", "/a folder"}));
}

// Frames larger than a pipe's buffer go through without either side blocking the other.
TEST_F(Local, sends_frames_larger_than_a_pipe) {
    open("echo 'drydock-agent 1'; exec cat");
    Json frame = numbered(1);
    frame.set("x", std::string(3U << 20U, 'x'));
    ASSERT_TRUE(talk_->send(frame));
    ASSERT_TRUE(talk_->send(frame));
    EXPECT_TRUE(talk_->wants_write());
    EXPECT_EQ(receive(2), (std::vector<Json>{frame, frame}));
    EXPECT_FALSE(talk_->wants_write());
}

TEST_F(Local, tells_how_the_stream_ended) {
    open("echo 'no such host' >&2; exit 7");
    (void)talk_->send(numbered(1));
    EXPECT_TRUE(receive(1).empty());
    EXPECT_EQ(error_.code, "transport.ended");
    EXPECT_THAT(error_.message,
                testing::AllOf(testing::HasSubstr("alpha"),
                               testing::HasSubstr("no such host"),
                               testing::HasSubstr("exit 7")));
    EXPECT_TRUE(talk_->send(numbered(2))) << "the end shows in receive()";
}

TEST_F(Local, hands_out_frames_that_came_before_the_end) {
    open(R"(printf 'drydock-agent 1\n\0\0\0\007{"n":1}')");
    EXPECT_EQ(receive(1), std::vector<Json>{numbered(1)});
    EXPECT_TRUE(receive(1).empty());
    EXPECT_EQ(error_.code, "transport.ended");
}

TEST_F(Local, refuses_a_stream_that_is_no_agent) {
    open("echo 'drydock-agent 9'; exec cat");
    EXPECT_TRUE(receive(1).empty());
    EXPECT_EQ(error_.code, "frame.version");
    EXPECT_FALSE(transport_.open({"beta", {}, {}, "/nowhere/drydock", "/state"}));
}

// An agent that writes much to stderr must not stall, and its last words are kept.
TEST_F(Local, takes_what_is_written_to_stderr) {
    open("head -c 1000000 /dev/zero | tr '\\0' e >&2; echo last words >&2; exit 1");
    EXPECT_TRUE(receive(1).empty());
    EXPECT_THAT(error_.message, testing::HasSubstr("last words"));
    EXPECT_LT(error_.message.size(), 5000U);
}

// This holds also for an agent that ignores its input; no process of its group is left.
TEST_F(Local, ends_the_child_with_the_transport) {
    const auto file = fmt::format("{}drydock-local-test.{}", testing::TempDir(), ::getpid());
    auto transport = std::make_unique<LocalTransport>();
    talk_ = std::move(*transport->open(
        {"alpha",
         {"sh",
          "-c",
          fmt::format("trap '' PIPE; sleep 60 & echo $! > {0}; mv {0} {0}.pid; wait", file)},
         {},
         "agent",
         "/state"}));
    pid_t sleeper = 0;
    while (sleeper == 0) {
        sleeper = std::atoi(os::read_file(file + ".pid", 100).value_or("0").c_str());
    }
    const auto process = os::open_process(sleeper).value();
    talk_.reset();
    EXPECT_FALSE(os::wait_gone(process, 0));
    transport.reset();
    EXPECT_TRUE(os::wait_gone(process, 5000));
    ::unlink((file + ".pid").c_str());
}

// A survey of thirty dead hosts once took 75 s: each closed line was waited for in turn.
TEST_F(Local, closes_dead_lines_without_waiting_for_each) {
    constexpr int k_dead_lines = 30;
    auto transport = std::make_unique<LocalTransport>();
    std::vector<std::unique_ptr<Conversation>> dead;
    for (int i = 0; i < k_dead_lines; ++i) {
        dead.push_back(std::move(
            *transport->open({"dead", {"sh", "-c", "exec sleep 60"}, {}, "agent", "/state"})));
    }
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    dead.clear();
    EXPECT_LT(clock.monotonic_ms() - start_ms, 1000);
    transport.reset();
    EXPECT_LT(clock.monotonic_ms() - start_ms, 2000);
}

// A conversation may outlive its transport.
TEST_F(Local, ends_a_late_child_at_once) {
    auto transport = std::make_unique<LocalTransport>();
    talk_ =
        std::move(*transport->open({"dead", {"sh", "-c", "exec sleep 60"}, {}, "agent", "/state"}));
    transport.reset();
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    talk_.reset();
    EXPECT_LT(clock.monotonic_ms() - start_ms, 1000);
}

}  // namespace
}  // namespace drydock::transport
