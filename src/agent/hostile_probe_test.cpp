// Probes against files, patterns and servers that mean harm: each ends, and costs little.
#include "agent/probe.h"
#include "agent/session.h"
#include "agent/test_world.h"
#include "http/http.h"
#include "os/clock.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

namespace drydock::agent {
namespace {

using http::HttpFailure;
using http::HttpRequest;
using http::send_http;

constexpr std::int64_t k_soon_ms = 3'000;
constexpr long k_memory_kib_max = 300'000;

// Answers each connection with `head`, and then with `flood` again and again until the other side
// hangs up or `limit` bytes were sent, with a pause before each.
class FloodServer {
public:
    FloodServer(std::string head,
                std::string flood,
                std::size_t limit,
                std::chrono::milliseconds pause = {})
        : pause_(pause)
        , socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
        EXPECT_EQ(::listen(socket_.get(), 32), 0);
        ::getsockname(socket_.get(), generic, &size);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this, head, flood, limit] { serve(head, flood, limit); });
    }

    ~FloodServer() {
        ended_ = true;
        ::shutdown(socket_.get(), SHUT_RDWR);
    }

    FloodServer(const FloodServer&) = delete;
    FloodServer& operator=(const FloodServer&) = delete;

    [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }

    [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
    void serve(const std::string& head, const std::string& flood, std::size_t limit) {
        while (!ended_) {
            const os::Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            const timeval patience = {1, 0};  // a reader that stalls must not hold up the test
            ::setsockopt(peer.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
            std::array<char, 4096> request = {};
            if (peer && ::read(peer.get(), request.data(), request.size()) > 0) {
                send_all(peer, head, flood, limit);
            }
        }
    }

    void send_all(const os::Fd& peer,
                  const std::string& head,
                  const std::string& flood,
                  std::size_t limit) {
        bool goes_on = ::send(peer.get(), head.data(), head.size(), MSG_NOSIGNAL) > 0;
        for (std::size_t sent = 0; goes_on && !ended_ && sent < limit; sent += flood.size()) {
            std::this_thread::sleep_for(pause_);
            goes_on = ::send(peer.get(), flood.data(), flood.size(), MSG_NOSIGNAL) > 0;
            sent_ += flood.size();
        }
    }

    std::chrono::milliseconds pause_;
    os::Fd socket_;
    int port_ = 0;
    std::atomic<bool> ended_ = false;
    std::atomic<std::uint64_t> sent_ = 0;
    std::jthread thread_;
};

class HostileProbes : public testing::Test, protected Scratch {
protected:
    HostileProbes() { std::signal(SIGPIPE, SIG_IGN); }  // as the agent does

    // The facts, with the time that they took.
    Json ask_all(const Json& probes) {
        os::RealClock clock;
        const auto begun_ms = clock.monotonic_ms();
        const auto run = prober_.start(probes);
        auto facts = run->poll();
        while (!facts && clock.monotonic_ms() < begun_ms + 20'000) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            facts = run->poll();
        }
        took_ms_ = clock.monotonic_ms() - begun_ms;
        return facts.value_or(Json());
    }

    std::string status(const std::string& probe) {
        return ask_all(Json(Json::Array{json(probe)})).items().at(0)["status"].as_string();
    }

    static long peak_kib() {
        struct rusage usage = {};
        ::getrusage(RUSAGE_SELF, &usage);
        return usage.ru_maxrss;
    }

    Prober prober_{[] {}};
    std::int64_t took_ms_ = 0;
};

// A pipe without a writer reads as empty, one with a writer never ends, and a device is no file.
TEST_F(HostileProbes, read_plain_files_only) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    for (const std::string& file :
         {path("pipe"), std::string("/dev/zero"), std::string("/dev/tty")}) {
        for (const char* kind : {R"("file","as":"text")", R"("digest")"}) {
            EXPECT_EQ(status(fmt::format(R"({{"kind":{},"path":"{}"}})", kind, file)), "unknown")
                << file << kind;
            EXPECT_LT(took_ms_, k_soon_ms);
        }
    }
    EXPECT_EQ(status(R"({"kind":"file","path":"/proc/self/status","key":"Name"})"), "known");
}

// A pattern that a backtracking matcher needs for ever for.
TEST_F(HostileProbes, match_in_linear_time) {
    write("text", std::string(60'000, 'a') + "!\nlast 7");
    const auto match = [this](const std::string& pattern) {
        Json probe = json(R"({"kind":"file"})");
        probe.set("path", path("text")).set("regex", pattern);
        return ask_all(Json(Json::Array{probe})).items().at(0)["status"].as_string();
    };
    EXPECT_EQ(match("^(a+)+$"), "absent");
    EXPECT_LT(took_ms_, k_soon_ms);
    EXPECT_EQ(match("last ([0-9])"), "known");
    EXPECT_EQ(match("(a)\\1"), "unknown");
    EXPECT_EQ(match("((a{1000}){1000}){1000}"), "unknown");
}

TEST_F(HostileProbes, lose_one_large_value_and_keep_the_others) {
    write("large", std::string(100'000, 'x'));
    write("small", "y");
    const Json facts = ask_all(json(fmt::format(
        R"([{{"id":"a","kind":"file","path":"{}"}},{{"id":"b","kind":"file","path":"{}"}}])",
        path("large"),
        path("small"))));
    EXPECT_EQ(facts.items().at(0)["status"].as_string(), "unknown") << facts.dump().substr(0, 500);
    EXPECT_EQ(facts.items().at(1)["value"].as_string(), "y");
}

// Headers, or a body, without end: given up after some MiB, not at the deadline.
TEST_F(HostileProbes, take_no_answer_without_end) {
    const std::string header = "X-More: " + std::string(1000, 'x') + "\r\n";
    FloodServer headers("HTTP/1.1 200 OK\r\n", header, 4'000'000'000);
    FloodServer body("HTTP/1.1 200 OK\r\n\r\n", std::string(65'536, 'y'), 4'000'000'000);
    for (FloodServer* server : {&headers, &body}) {
        EXPECT_EQ(status(fmt::format(R"({{"kind":"http","url":"{}","deadline_ms":9000}})",
                                     server->url())),
                  "unknown");
        EXPECT_LT(server->sent(), 1'000'000'000U);
    }
}

// The library holds its own lock while TLS is agreed upon, so that stop() would wait.
TEST_F(HostileProbes, end_in_the_middle_of_a_tls_handshake) {
    const std::string record = {0x16, 0x03, 0x03, 0x3f, 0x00, 0x02, 0x00, 0x3e, 0x00};
    FloodServer server(record, "x", 16'000, std::chrono::milliseconds(20));
    HttpRequest request;
    request.url = "https" + server.url().substr(4);
    request.timeout_ms = 500;
    os::RealClock clock;
    const auto begun_ms = clock.monotonic_ms();
    const auto answer = send_http(request);
    EXPECT_LT(clock.monotonic_ms() - begun_ms, k_soon_ms);
    EXPECT_FALSE(answer);
    EXPECT_LT(server.sent(), 200U);
}

TEST_F(HostileProbes, take_16_large_answers_in_bounded_memory) {
    const auto size = 15'000'000;
    FloodServer server(fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", size),
                       std::string(100'000, 'z'),
                       size);
    const long before = peak_kib();
    Json probes{Json::Array{}};
    for (int i = 0; i < 16; ++i) {
        probes.push(
            json(fmt::format(R"({{"id":"{0}","kind":"http","url":"{1}?{0}"}})", i, server.url())));
    }
    const Json facts = ask_all(probes);
    EXPECT_EQ(facts.items().size(), 16U);
    EXPECT_LT(peak_kib() - before, k_memory_kib_max);
}

// A request that would go out in clear, or as two requests, is not sent at all.
TEST_F(HostileProbes, send_no_request_that_says_more_than_it_should) {
    FloodServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok", 2);
    HttpRequest plain;
    plain.url = server.url();
    EXPECT_TRUE(send_http(plain));
    const auto is_refused = [](const HttpRequest& request) {
        const auto answer = send_http(request);
        return !answer && answer.error().failure == HttpFailure::not_sent
               && answer.error().message.starts_with("the request is not sent");
    };
    for (const char* end : {"\r\n", "\n", "\r", " "}) {
        HttpRequest request = plain;
        request.url += std::string("x") + end + "Evil: 1";
        EXPECT_TRUE(is_refused(request));
        request = plain;
        request.method = std::string("GET /x HTTP/1.1") + end;
        EXPECT_TRUE(is_refused(request));
    }
    HttpRequest request = plain;
    request.headers = {{"A", "b\r\nEvil: 1"}};
    EXPECT_TRUE(is_refused(request));
    request.headers = {{"A: b\nEvil", "1"}};
    EXPECT_TRUE(is_refused(request));
    request = plain;
    request.ca = "/etc/ssl/ca.pem";
    request.headers = {{"Authorization", "Bearer x"}};
    EXPECT_TRUE(is_refused(request));
}

}  // namespace
}  // namespace drydock::agent
