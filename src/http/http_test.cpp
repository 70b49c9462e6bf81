// Connections that stay open, Unix sockets and TLS, against small servers of the same library.
#include "agent/test_world.h"
#include "http/http.h"
#include "http/test_certificates.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <sys/un.h>

#include <atomic>
#include <set>
#include <thread>

namespace drydock::http {
namespace {

using agent::Scratch;
using agent::wait_until;

// Runs a server of the library in a thread of its own.
class Running {
public:
    Running(httplib::Server& server, int port)
        : server_(server)
        , port_(port)
        , thread_([&server] { server.listen_after_bind(); }) {
        wait_until([&server] { return server.is_running(); });
    }

    ~Running() { server_.stop(); }

    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    [[nodiscard]] std::string url(const std::string& scheme, const std::string& host) const {
        return fmt::format("{}://{}:{}/", scheme, host, port_);
    }

private:
    httplib::Server& server_;
    int port_;
    std::jthread thread_;
};

HttpRequest get(const std::string& url) {
    HttpRequest request;
    request.url = url;
    request.timeout_ms = 60'000;
    return request;
}

// Returns "200 text", or the failure as a number.
std::string told(const tl::expected<HttpAnswer, HttpError>& answer) {
    return answer ? fmt::format("{} {}", answer->status, answer->body)
                  : fmt::format("failure {}", static_cast<int>(answer.error().failure));
}

class Http : public testing::Test, protected Scratch {
protected:
    Http() { std::signal(SIGPIPE, SIG_IGN); }  // as the agent does
};

TEST_F(Http, one_connection_serves_many_requests) {
    httplib::Server server;
    std::mutex mutex;
    std::set<int> ports;
    server.Get("/", [&](const httplib::Request& request, httplib::Response& answer) {
        const std::lock_guard lock(mutex);
        ports.insert(request.remote_port);
        answer.set_content("here", "text/plain");
    });
    const Running running(server, server.bind_to_any_port("127.0.0.1"));
    Connection connection;
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(told(connection.send(get(running.url("http", "127.0.0.1")))), "200 here");
    }
    EXPECT_EQ(ports.size(), 1U);
    EXPECT_EQ(told(send_http(get(running.url("http", "127.0.0.1")))), "200 here");
    EXPECT_EQ(ports.size(), 2U);
}

// The limit of received bytes is one of each answer, not of the connection.
TEST_F(Http, a_connection_may_receive_many_large_answers) {
    httplib::Server server;
    const std::string large(3'000'000, 'x');
    server.Get("/", [&](const auto&, auto& answer) { answer.set_content(large, "text/plain"); });
    const Running running(server, server.bind_to_any_port("127.0.0.1"));
    Connection connection;
    for (int i = 0; i < 4; ++i) {
        const auto answer = connection.send(get(running.url("http", "127.0.0.1")));
        ASSERT_TRUE(answer) << i << answer.error().message;
        EXPECT_EQ(answer->body.size(), large.size());
    }
}

// Only the request after the server's end fails, and says that nothing was sent.
TEST_F(Http, a_connection_is_made_anew_after_the_server_was) {
    auto server = std::make_unique<httplib::Server>();
    const auto answer_with = [](httplib::Server& one, const char* text) {
        one.Get("/", [text](const auto&, auto& answer) { answer.set_content(text, "text/plain"); });
    };
    answer_with(*server, "first");
    const int port = server->bind_to_any_port("127.0.0.1");
    auto running = std::make_unique<Running>(*server, port);
    const std::string url = running->url("http", "127.0.0.1");
    Connection connection;
    EXPECT_EQ(told(connection.send(get(url))), "200 first");
    running.reset();
    server = std::make_unique<httplib::Server>();
    EXPECT_EQ(told(connection.send(get(url))), "failure 0");
    answer_with(*server, "second");
    ASSERT_TRUE(server->bind_to_port("127.0.0.1", port));
    running = std::make_unique<Running>(*server, port);
    EXPECT_EQ(told(connection.send(get(url))), "200 second");
}

TEST_F(Http, a_unix_socket_is_asked_in_place_of_a_host) {
    httplib::Server server;
    std::string host;
    server.Get("/x", [&](const httplib::Request& request, httplib::Response& answer) {
        host = request.get_header_value("Host");
        answer.set_content("by socket", "text/plain");
    });
    server.set_address_family(AF_UNIX);
    ASSERT_TRUE(server.bind_to_port(path("socket"), 80));
    HttpRequest request = get("http://localhost/x");
    request.socket = path("socket");
    {
        const Running running(server, 80);
        EXPECT_EQ(told(send_http(request)), "200 by socket");
        EXPECT_EQ(host, "localhost");
    }
    request.socket = path("none");
    const auto answer = send_http(request);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().failure, HttpFailure::refused);
}

// A socket that takes the request and never says a word, and one that drips for ever.
TEST_F(Http, a_unix_socket_has_a_deadline_too) {
    httplib::Server server;
    server.Get("/drip", [](const auto&, auto& answer) {
        answer.set_chunked_content_provider("text/plain", [](std::size_t, auto& sink) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
            return sink.write(".", 1);
        });
    });
    server.Get("/silent",
               [](const auto&, auto&) { std::this_thread::sleep_for(std::chrono::seconds(4)); });
    server.set_address_family(AF_UNIX);
    ASSERT_TRUE(server.bind_to_port(path("socket"), 80));
    const Running running(server, 80);
    for (const char* where : {"drip", "silent"}) {
        HttpRequest request = get(std::string("http://localhost/") + where);
        request.socket = path("socket");
        request.timeout_ms = 300;
        const auto begun = std::chrono::steady_clock::now();
        EXPECT_EQ(told(send_http(request)), "failure 2") << where;
        EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(3500))
            << where;
    }
}

class Tls : public Http {
protected:
    Tls() {
        authority_.sign("server", "IP:127.0.0.1,DNS:localhost");
        authority_.sign("elsewhere", "IP:127.0.0.2,DNS:other.example");
        authority_.sign("client", "DNS:client");
    }

    // Returns what a server with that certificate answers; `change` may change the request.
    template <class Change>
    std::string ask(const std::string& certificate, const Change& change) {
        httplib::SSLServer server(authority_.certificate(certificate).c_str(),
                                  authority_.key(certificate).c_str());
        return ask_server(server, change);
    }

    template <class Change>
    std::string ask_server(httplib::SSLServer& server, const Change& change) {
        server.Get("/", [this](const auto&, auto& answer) {
            ++asked_;
            answer.set_content("secret", "text/plain");
        });
        const Running running(server, server.bind_to_any_port("127.0.0.1"));
        HttpRequest request = get(running.url("https", "127.0.0.1"));
        request.ca = authority_.certificate("authority");
        change(request);
        return told(send_http(request));
    }

    const TestAuthority authority_{folder_, "authority"};
    std::atomic<int> asked_ = 0;
};

TEST_F(Tls, a_server_of_the_authority_is_believed) {
    EXPECT_EQ(ask("server", [](HttpRequest&) {}), "200 secret");
}

TEST_F(Tls, another_authority_is_refused) {
    const TestAuthority other(folder_, "other");
    EXPECT_EQ(ask("server", [&](HttpRequest& request) { request.ca = other.certificate("other"); }),
              "failure 1");
    EXPECT_EQ(ask("server", [](HttpRequest& request) { request.ca = ""; }), "failure 1");
    EXPECT_EQ(asked_, 0);
}

TEST_F(Tls, another_name_is_refused) {
    EXPECT_EQ(ask("elsewhere", [](HttpRequest&) {}), "failure 1");
    EXPECT_EQ(asked_, 0);
}

TEST_F(Tls, a_client_shows_its_certificate) {
    const std::string ca = authority_.certificate("authority");
    httplib::SSLServer server(
        authority_.certificate("server").c_str(), authority_.key("server").c_str(), ca.c_str());
    EXPECT_EQ(ask_server(server,
                         [this](HttpRequest& request) {
                             request.certificate = authority_.certificate("client");
                             request.key = authority_.key("client");
                         }),
              "200 secret");
}

}  // namespace
}  // namespace drydock::http
