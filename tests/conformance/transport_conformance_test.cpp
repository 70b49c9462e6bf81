// What every transport must do. The suite speaks to agents of the local transport, to simulated
// hosts, to hosts behind a script in the place of ssh, and to a real host behind real ssh if
// DRYDOCK_SSH_HOST names one (tests/hosts does).
#include "agent/test_world.h"
#include "base/hash.h"
#include "os/clock.h"
#include "transport/fake/fake_transport.h"
#include "transport/fake/idle_system.h"
#include "transport/local/local.h"
#include "transport/ssh/ssh.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::transport {
namespace {

constexpr std::int64_t k_wait_ms = 60'000;

// A transport, a host behind it, and a host that is not there.
struct Backend {
    Backend() = default;
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;
    virtual ~Backend() = default;
    [[nodiscard]] virtual Transport& transport() = 0;
    [[nodiscard]] virtual HostAddress host() = 0;
    [[nodiscard]] virtual HostAddress nobody() = 0;
    [[nodiscard]] virtual os::Clock& clock() = 0;
};

struct RealBackend : Backend, protected agent::Scratch {
    os::Clock& clock() override { return clock_; }

private:
    os::RealClock clock_;
};

struct LocalBackend final : RealBackend {
    Transport& transport() override { return transport_; }

    HostAddress host() override { return {"here", {"env"}, {}, DRYDOCK_AGENT, path("state")}; }

    HostAddress nobody() override { return {"nobody", {"false"}, {}, "agent", path("state")}; }

    LocalTransport transport_;
};

// A script runs the command in a shell of this machine, as sshd would. It refuses any other host.
struct ScriptBackend final : RealBackend {
    ScriptBackend() {
        std::filesystem::create_directories(path("bin"));
        write("bin/ssh",
              "#!/bin/sh\nfor command; do :; done\ncase $* in\n*\"-- here \"*) exec sh -c "
              "\"$command\";;\nesac\n"
              "echo \"ssh: Could not resolve hostname\" >&2\nexit 255\n");
        ::chmod(path("bin/ssh").c_str(), 0755);
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread of this test reads it
        ::setenv("PATH", fmt::format("{}:{}", path("bin"), std::getenv("PATH")).c_str(), 1);
    }

    // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
    ~ScriptBackend() override { ::setenv("PATH", search_path_.c_str(), 1); }

    Transport& transport() override { return transport_; }

    HostAddress host() override { return {"here", {"ssh:", "here"}, {}, "", path("state")}; }

    HostAddress nobody() override { return {"nobody", {"ssh:", "nobody"}, {}, "", path("state")}; }

    // NOLINTNEXTLINE(concurrency-mt-unsafe): as above
    std::string search_path_ = std::getenv("PATH");
    SshTransport transport_{DRYDOCK_AGENT};
};

// A host that tests/hosts has started.
struct SshBackend final : RealBackend {
    Transport& transport() override { return transport_; }

    HostAddress host() override {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread of this test writes it
        const char* name = std::getenv("DRYDOCK_SSH_HOST");
        static int states = 0;
        return {"real",
                {"ssh:", name == nullptr ? "" : name},
                {"sudo", "-n"},
                "",
                fmt::format("/var/lib/drydock-{}", ++states)};
    }

    HostAddress nobody() override { return {"nobody", {"ssh:", "nobody.invalid"}, {}, "", "/s"}; }

    SshTransport transport_{DRYDOCK_AGENT};
};

struct QuietSystem final : IdleSystem {
    agent::ProbeResult probe(const std::string&, const Json&, std::int64_t&) override {
        return agent::known(true);
    }
};

struct FakeBackend final : Backend {
    FakeBackend() { transport_.lose("nobody", 1'000'000'000); }

    Transport& transport() override { return transport_; }

    HostAddress host() override { return {"h1", {"to", "h1"}, {}, "", "/state"}; }

    HostAddress nobody() override { return {"nobody", {"to", "nobody"}, {}, "", "/state"}; }

    os::Clock& clock() override { return clock_; }

    FakeClock clock_;
    Faults faults_{1};
    QuietSystem system_;
    FakeTransport transport_{system_, clock_, faults_};
};

struct BackendKind {
    const char* name;
    std::unique_ptr<Backend> (*make)();
};

template <class Kind>
std::unique_ptr<Backend> make() {
    return std::make_unique<Kind>();
}

class Transports : public testing::TestWithParam<BackendKind> {
protected:
    void SetUp() override {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread of this test writes it
        if (std::string(GetParam().name) == "ssh" && std::getenv("DRYDOCK_SSH_HOST") == nullptr) {
            GTEST_SKIP() << "no DRYDOCK_SSH_HOST; tests/hosts names one";
        }
        backend_ = GetParam().make();
        address_ = backend_->host();
    }

    std::unique_ptr<Conversation> open() { return backend_->transport().open(address_).value(); }

    // Returns frames until `count` have come, the stream ends, or the time is up.
    std::vector<Json> hear(Conversation& talk, std::size_t count) {
        std::vector<Json> heard;
        const auto until = backend_->clock().monotonic_ms() + k_wait_ms;
        while (heard.size() < count && backend_->clock().monotonic_ms() < until) {
            backend_->transport().wait({&talk}, 1000);
            auto frames = talk.receive();
            if (!frames) {
                error_ = frames.error();
                return heard;
            }
            heard.insert(heard.end(), frames->begin(), frames->end());
        }
        return heard;
    }

    // Sends a request and returns its answer; frames of progress are passed over.
    Json call(Conversation& talk, Json request) {
        request.set("n", ++number_);
        EXPECT_TRUE(talk.send(request));
        for (;;) {
            const auto heard = hear(talk, 1);
            if (heard.empty() || !heard.front().contains("progress")) {
                return heard.empty() ? Json() : heard.front();
            }
        }
    }

    // Begins as a conductor does.
    std::unique_ptr<Conversation> open_fenced() {
        auto talk = open();
        Json owner = Json::Object{{"cluster", "c"}, {"journal", "j"}, {"who", "suite"}};
        Json fence = Json::Object{{"do", "fence"}, {"epoch", 1}};
        EXPECT_EQ(call(*talk, fence.set("owner", std::move(owner)))["fence"].as_int(), 1);
        return talk;
    }

    static Json command(const char* verb) {
        Json frame = Json::Object{{"do", verb}, {"epoch", 1}, {"journal", "j"}, {"run", "r"}};
        return frame.set("action", "a").set("attempt", 1);
    }

    std::unique_ptr<Backend> backend_;
    HostAddress address_;
    Error error_;
    int number_ = 0;
};

TEST_P(Transports, an_agent_answers_with_its_clock) {
    const auto talk = open();
    const Json answer = call(*talk, Json::Object{{"do", "hello"}});
    EXPECT_TRUE(answer["clock_ms"].is_integer()) << answer.dump() << error_.text();
    EXPECT_TRUE(answer["running"].is_array());
}

// Requests may leave before the agent has spoken at all, and before it is even there.
TEST_P(Transports, many_requests_at_once_are_each_answered) {
    const auto talk = open();
    for (int i = 1; i <= 200; ++i) {
        ASSERT_TRUE(talk->send(Json::Object{{"n", i}, {"do", "ping"}}));
    }
    std::set<std::int64_t> numbers;
    for (const Json& frame : hear(*talk, 200)) {
        numbers.insert(frame["n"].as_int());
    }
    EXPECT_EQ(numbers.size(), 200U) << error_.text();
}

TEST_P(Transports, a_large_file_goes_there_and_comes_back) {
    const auto talk = open_fenced();
    const std::string data(2U << 20U, 'A');  // base64 of zeros
    const std::string digest = sha256_hex(std::string(data.size() / 4 * 3, '\0'));
    Json put = Json::Object{{"do", "put"}, {"epoch", 1}, {"journal", "j"}, {"offset", 0}};
    put.set("path", address_.state + "/.files/large").set("data", data).set("last", digest);
    const Json written = call(*talk, put);
    ASSERT_FALSE(written.contains("error")) << written.dump();
    Json get = Json::Object{{"do", "get"}, {"epoch", 1}, {"journal", "j"}, {"offset", 0}};
    get.set("path", address_.state + "/.files/large");
    const Json answer = call(*talk, get);
    EXPECT_EQ(answer["data"].as_string().size(), data.size()) << answer["error"].dump();
}

TEST_P(Transports, work_goes_on_without_its_conversation) {
    auto talk = open_fenced();
    Json request = Json::Object{{"kind", "command"}, {"timeout_ms", 60'000}};
    request.set("argv", Json(Json::Array{"sleep", "0.2"}));
    ASSERT_TRUE(talk->send(command("exec").set("n", 900).set("request", request)));
    ASSERT_TRUE(talk->send(Json::Object{{"n", 901}, {"do", "ping"}}));
    bool was_heard = false;  // then the agent has begun the action
    while (!was_heard) {
        const auto heard = hear(*talk, 1);
        ASSERT_FALSE(heard.empty()) << error_.text();
        was_heard = heard.front()["n"].as_int() == 901;
    }
    talk.reset();
    talk = open();
    const Json answer = call(*talk, command("attach"));
    EXPECT_EQ(answer["state"].as_string(), "ended") << answer.dump();
    EXPECT_EQ(answer["result"]["outcome"].as_string(), "done") << answer.dump();
}

TEST_P(Transports, a_host_may_have_several_conversations) {
    const auto first = open();
    const auto second = open();
    EXPECT_TRUE(call(*second, Json::Object{{"do", "ping"}})["clock_ms"].is_integer());
    EXPECT_TRUE(call(*first, Json::Object{{"do", "ping"}})["clock_ms"].is_integer());
}

// Whether open() fails or receive() does: it is soon, and says that another try may succeed.
TEST_P(Transports, a_host_that_is_not_there_is_an_error) {
    const auto talk = backend_->transport().open(backend_->nobody());
    if (talk) {
        EXPECT_TRUE(hear(**talk, 1).empty());
    } else {
        error_ = talk.error();
    }
    EXPECT_FALSE(error_.code.empty());
    EXPECT_EQ(error_.kind, ErrorClass::transient) << error_.text();
}

INSTANTIATE_TEST_SUITE_P(All,
                         Transports,
                         testing::Values(BackendKind{"local", make<LocalBackend>},
                                         BackendKind{"fake", make<FakeBackend>},
                                         BackendKind{"ssh_script", make<ScriptBackend>},
                                         BackendKind{"ssh", make<SshBackend>}),
                         [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace drydock::transport
