// Probes against real files, real processes, and small HTTP servers, of which one never answers.
#include "agent/action.h"
#include "agent/digest.h"
#include "agent/probe.h"
#include "agent/test_world.h"
#include "os/clock.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

namespace drydock::agent {
namespace {

constexpr const char* k_status =
    R"({"header":{"member_id":"17247114729954150411"},"version":"3.4.23","isLearner":"false",
        "leader":"17247114729954150411","nodes":[{"key":"IN_SERVICE","value":[{"key":"DEAD","value":2}]}],
        "members":[{"name":"s2"},{"name":"s1"},{}],"raftIndex":"7"})";

// A listening socket that accepts in the kernel and never says a word.
class SilentServer {
public:
    SilentServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address = {};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(socket_.get(), generic, size), 0);
        EXPECT_EQ(::listen(socket_.get(), 8), 0);
        ::getsockname(socket_.get(), generic, &size);
        port_ = ntohs(address.sin_port);
    }

    [[nodiscard]] std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }

    // Takes one request, as it comes, until `last_words` are there; answers 200 with `body`.
    std::string serve_one(const std::string& last_words, const std::string& body) {
        const os::Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        std::string request;
        std::array<char, 4096> chunk = {};
        while (!request.ends_with(last_words)) {
            const auto size = ::read(peer.get(), chunk.data(), chunk.size());
            if (size <= 0) {
                break;
            }
            request.append(chunk.data(), static_cast<std::size_t>(size));
        }
        const auto answer =
            fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
        EXPECT_TRUE(os::write_all(peer.get(), answer));
        return request;
    }

    void close() { socket_.close(); }

private:
    os::Fd socket_;
    int port_ = 0;
};

class Probes : public testing::Test, protected Scratch {
protected:
    void SetUp() override {
        server_.Post("/status", [this](const auto&, auto& answer) {
            ++asked_;
            answer.set_content(k_status, "application/json");
        });
        server_.Get("/metrics", [](const auto&, auto& answer) {
            answer.set_content("# HELP quota\nquota_bytes_max 1\nquota_bytes 2.147483648e+09\n"
                               "is_leader{id=\"a b\"} 1\n",
                               "text/plain");
        });
        server_.Get("/broken", [](const auto&, auto& answer) { answer.status = 503; });
        server_.Get("/drip", [](const auto&, auto& answer) {
            answer.set_chunked_content_provider("text/plain", [](std::size_t, auto& sink) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
                return sink.write(".", 1);
            });
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::jthread([this] { server_.listen_after_bind(); });
        wait_until([this] { return server_.is_running(); });  // stopped before, it would never end
    }

    void TearDown() override { server_.stop(); }

    [[nodiscard]] std::string url(const std::string& where) const {
        return fmt::format("http://127.0.0.1:{}{}", port_, where);
    }

    Json ask_all(const Json& probes) {
        const auto run = prober_.start(probes);
        os::RealClock clock;
        const auto end_ms = clock.monotonic_ms() + 10'000;
        while (clock.monotonic_ms() < end_ms) {
            if (auto facts = run->poll()) {
                return *facts;
            }
            std::this_thread::yield();
        }
        return {};
    }

    Json ask(const Json& probe) { return ask_all(Json(Json::Array{probe})).items().front(); }

    // Returns "known 3", "absent" or "unknown", for comparisons.
    std::string told(const std::string& probe) {
        const Json fact = ask(json(probe));
        const auto status = fact["status"].as_string();
        return status == "known" ? status + " " + fact["value"].dump() : status;
    }

    std::string status(const std::string& rest) {
        return told(fmt::format(R"({{"kind":"http","method":"POST","body":"{{}}","url":"{}",{}}})",
                                url("/status"),
                                rest));
    }

    std::string get(const std::string& where, const std::string& rest = R"("type":"text")") {
        return told(fmt::format(R"({{"kind":"http","url":"{}",{}}})", url(where), rest));
    }

    Prober prober_{[] {}};
    httplib::Server server_;
    int port_ = 0;
    std::atomic<int> asked_ = 0;
    std::jthread thread_;
};

TEST_F(Probes, extract_from_json) {
    EXPECT_EQ(status(R"("pointer":"/version","type":"release")"), R"(known "3.4.23")");
    EXPECT_EQ(status(R"("pointer":"/leader","type":"integer")"), "known 17247114729954150411");
    EXPECT_EQ(status(R"("pointer":"/isLearner","type":"bool")"), "known false");
    EXPECT_EQ(status(R"("pointer":"/version","type":"bool")"), "unknown");
    EXPECT_EQ(status(R"("pointer":"/errors")"), "absent");
    EXPECT_EQ(status(R"("pointer":"/errors","missing":false)"), "known false");
    EXPECT_EQ(status(R"("equal":["/leader","/header/member_id"])"), "known true");
    EXPECT_EQ(status(R"("equal":["/leader","/none"])"), "absent");
    EXPECT_EQ(status(R"("pointers":["/version","/raftIndex"],"type":"list")"),
              R"(known ["3.4.23","7"])");
    EXPECT_EQ(status(R"("collect":{"list":"/members","each":"/name"},"type":"list")"),
              R"(known ["","s1","s2"])");
    EXPECT_EQ(status(R"("regex":"version\":\"([0-9.]+)\"")"), R"(known "3.4.23")");
    EXPECT_EQ(status(R"("matches":"version\":\"3","type":"bool")"), "known true");
    EXPECT_EQ(status(R"("matches":"version\":\"4","type":"bool")"), "known false");
}

// Hadoop's JMX writes a map as a list of {"key", "value"}.
TEST_F(Probes, pick_from_a_list_of_keys_and_values) {
    EXPECT_EQ(status(R"("pointer":"/nodes/[IN_SERVICE]/[DEAD]","type":"integer")"), "known 2");
    EXPECT_EQ(status(R"("pointer":"/nodes/[IN_SERVICE]/0/key")"), R"(known "DEAD")");
    EXPECT_EQ(status(R"("pointer":"/nodes/[IN_SERVICE]/[STALE]","missing":0)"), "known 0");
    EXPECT_EQ(status(R"("pointer":"/nodes/[LEAVING]/[DEAD]")"), "absent");
    EXPECT_EQ(status(R"("pointer":"/version/[DEAD]")"), "absent");
}

TEST_F(Probes, judge_by_status_and_text) {
    EXPECT_EQ(get("/metrics", R"("metric":"quota_bytes","type":"integer")"), "known 2147483648");
    EXPECT_EQ(get("/metrics", R"("metric":"is_leader","type":"bool")"), "known true");
    EXPECT_EQ(get("/metrics", R"("metric":"quota")"), "absent");
    EXPECT_EQ(get("/broken"), "unknown");
    EXPECT_EQ(get("/broken", R"("status_map":{"200":true,"503":false})"), "known false");
    EXPECT_EQ(get("/none", R"("absent_status":[404])"), "absent");
    EXPECT_EQ(get("/none"), "unknown");
    EXPECT_EQ(get("/metrics", R"("pointer":"/a")"), "unknown");
}

// etcd's hashkv on the peer port is a GET that carries its question in the body.
TEST_F(Probes, send_a_body_with_get) {
    SilentServer server;
    std::string request;
    std::jthread thread([&] { request = server.serve_one("}", R"({"hash":3908991761})"); });
    const auto probe = fmt::format(
        R"({{"kind":"http","url":"{}members/hashkv","body":{{"revision":5}},"pointer":"/hash"}})",
        server.url());
    EXPECT_EQ(told(probe), "known 3908991761");
    thread.join();
    EXPECT_TRUE(request.starts_with("GET /members/hashkv HTTP/1.1\r\n")) << request;
    EXPECT_TRUE(request.ends_with("\r\n\r\n{\"revision\":5}")) << request;
    EXPECT_NE(request.find("Content-Length: 14\r\n"), std::string::npos) << request;
}

// A refused connection is absent; a silent server is unknown, and costs no more than the deadline.
TEST_F(Probes, tell_nobody_there_from_no_answer) {
    SilentServer silent;
    const auto probe =
        fmt::format(R"({{"kind":"http","url":"{}","deadline_ms":200}})", silent.url());
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    EXPECT_EQ(told(probe), "unknown");
    EXPECT_LT(clock.monotonic_ms() - start_ms, 2000);
    silent.close();
    EXPECT_EQ(told(probe), "absent");
    EXPECT_EQ(told(R"({"kind":"http","url":"nonsense"})"), "unknown");
}

// A server that sends a byte now and then is bounded by the whole deadline, not by each read.
TEST_F(Probes, end_a_dripping_answer_at_the_deadline) {
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    EXPECT_EQ(get("/drip", R"("deadline_ms":300)"), "unknown");
    EXPECT_LT(clock.monotonic_ms() - start_ms, 2000);
}

TEST_F(Probes, send_identical_requests_once_and_keep_the_order) {
    Json probes{Json::Array{}};
    for (int i = 0; i < 20; ++i) {
        Json probe = json(R"({"kind":"http","method":"POST","pointer":"/version"})");
        probes.push(probe.set("url", url("/status")).set("id", i));
    }
    const auto facts = ask_all(probes);
    ASSERT_EQ(facts.items().size(), 20U);
    EXPECT_EQ(facts.items()[7]["id"].as_int(), 7);
    EXPECT_GT(facts.items()[7]["at_ms"].as_int(), 0);
    EXPECT_EQ(asked_, 1);
}

// One that hangs does not hold up the others of its set.
TEST_F(Probes, run_side_by_side) {
    const SilentServer silent;
    Json probes{Json::Array{}};
    for (int i = 0; i < 8; ++i) {
        Json probe = json(R"({"kind":"http","deadline_ms":300})");
        probes.push(probe.set("url", silent.url() + std::to_string(i)));
    }
    os::RealClock clock;
    const auto start_ms = clock.monotonic_ms();
    EXPECT_EQ(ask_all(probes).items().size(), 8U);
    EXPECT_LT(clock.monotonic_ms() - start_ms, 1500);
}

TEST_F(Probes, read_files) {
    write("f", "# c\nname = \"a b\"\nport=2379\nversion: 3.5.16\n");
    write("j", R"({"a":[1]})");
    const auto file = [this](const std::string& name, const std::string& rest) {
        return told(fmt::format(R"({{"kind":"file","path":"{}",{}}})", path(name), rest));
    };
    EXPECT_EQ(file("f", R"("as":"exists")"), "known true");
    EXPECT_EQ(file("no", R"("as":"exists")"), "known false");
    EXPECT_EQ(file("no", R"("as":"text")"), "absent");
    EXPECT_EQ(file("f", R"("as":"keyvalue","key":"name")"), R"(known "a b")");
    EXPECT_EQ(file("f", R"("as":"keyvalue","key":"version")"), R"(known "3.5.16")");
    EXPECT_EQ(file("f", R"x("as":"text","regex":"port=([0-9]+)","type":"integer")x"), "known 2379");
    EXPECT_EQ(file("j", R"("as":"json","pointer":"/a/0")"), "known 1");
    EXPECT_EQ(file("j", R"("as":"size")"), "known 9");
    EXPECT_EQ(file("j", R"("as":"symlink")"), "absent");
    EXPECT_EQ(told(fmt::format(R"({{"kind":"digest","path":"{}"}})", path("no"))), "absent");
    write("h", "hello");
    EXPECT_EQ(told(fmt::format(R"({{"kind":"digest","path":"{}"}})", path("h"))),
              "known \"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"");
}

TEST_F(Probes, name_the_version_that_a_link_and_a_process_use) {
    ASSERT_TRUE(os::make_folder_durable(path("v1")) && os::make_folder_durable(path("v2")));
    std::filesystem::copy_file(std::filesystem::canonical("/bin/sleep"), path("v1/prog"));
    std::filesystem::create_symlink(path("v1"), path("current"));
    const auto versions = fmt::format(R"("versions":{{"1.0":"{0}/v1","2.0":"{0}/v2"}})", folder_);
    const auto link = [&](const std::string& name) {
        return told(fmt::format(R"({{"kind":"link","link":"{}",{}}})", path(name), versions));
    };
    EXPECT_EQ(link("current"), R"(known "1.0")");
    EXPECT_EQ(link("none"), "absent");
    std::filesystem::create_symlink(folder_, path("elsewhere"));
    EXPECT_EQ(link("elsewhere"), "unknown");
    EXPECT_EQ(told(fmt::format(
                  R"({{"kind":"link","on_disk":true,"link":"x",{}}})",
                  fmt::format(R"("versions":{{"2.0":"{0}/v2","3.0":"{0}/v3","1.0":"{0}/v1"}})",
                              folder_))),
              R"(known ["1.0","2.0"])");

    const auto service = fmt::format(
        R"("service":{{"type":"process","argv":["{0}/current/prog","61.0"],"cwd":"{0}","pid_file":"{0}/pid"}})",
        folder_);
    const auto of = [&](const std::string& kind) {
        return told(fmt::format(R"({{"kind":"{}",{},{}}})", kind, service, versions));
    };
    EXPECT_EQ(of("service"), R"(known "stopped")");
    EXPECT_EQ(of("process"), "absent");
    EXPECT_EQ(of("exe"), "absent");
    os::SpawnOptions options;
    options.argv = {path("current/prog"), "61.0"};
    options.folder = folder_;
    auto child = os::spawn(options).value();
    EXPECT_EQ(of("service"), R"(known "running")");
    EXPECT_EQ(of("process"), fmt::format("known {}", child.pid()));
    EXPECT_EQ(of("exe"), R"(known "1.0")");
    child.signal(SIGKILL);
    (void)child.wait(5000);

    // The interpreter lies elsewhere; its script lies in the version's folder.
    write("v2/script", "read line\n");
    const os::Fd script(::open(path("v2/script").c_str(), O_RDONLY | O_CLOEXEC));
    options.argv = {"/bin/sleep", "62.0"};
    options.output = script.get();
    auto reader = os::spawn(options).value();
    const auto used = fmt::format(
        R"({{"kind":"exe","service":{{"type":"process","argv":["/bin/sleep","62.0"],"cwd":"{0}","pid_file":"{0}/pid2"}},{1}}})",
        folder_,
        versions);
    EXPECT_EQ(told(used), R"(known "2.0")");
    reader.signal(SIGKILL);
    (void)reader.wait(5000);
}

TEST_F(Probes, ask_commands) {
    EXPECT_EQ(
        told(
            R"({"kind":"command","argv":["echo","{\"a\":\"7\"}"],"pointer":"/a","type":"integer"})"),
        "known 7");
    EXPECT_EQ(
        told(R"({"kind":"command","argv":["sh","-c","exit 3"],"exit_map":{"0":true,"3":false}})"),
        "known false");
    EXPECT_EQ(told(R"({"kind":"command","argv":["false"]})"), "unknown");
    EXPECT_EQ(told(R"({"kind":"command","argv":["sleep","9"],"deadline_ms":100})"), "unknown");
    EXPECT_EQ(told(R"({"kind":"command","argv":["/none/such"]})"), "unknown");
    EXPECT_EQ(told(R"({"kind":"command","argv":["sh","-c","echo ${HOME:?}"]})").substr(0, 5),
              "known");
    EXPECT_EQ(told(R"({"kind":"horoscope"})"), "unknown");
    EXPECT_EQ(told(R"({"kind":"disk","path":"/none/such","as":"free_bytes"})"), "absent");
    EXPECT_GT(ask(json(R"({"kind":"disk","path":"/","as":"free_bytes"})"))["value"].as_int(), 0);
}

// A request that was never sent has failed; a request without an answer may have had its effect.
TEST_F(Probes, http_actions_know_what_they_do_not_know) {
    SilentServer silent;
    const auto act = [this](const std::string& where, const std::string& method = "GET") {
        auto request = json(R"({"kind":"http","timeout_ms":200})");
        request.set("url", where).set("method", method);
        return run_http_action(request,
                               {folder_,
                                [](std::string_view text) { return std::string(text); },
                                [] { return false; }});
    };
    EXPECT_EQ(act(url("/status"), "POST").outcome, Outcome::done);
    EXPECT_EQ(act(url("/none")).outcome, Outcome::failed);
    EXPECT_EQ(act(url("/broken")).outcome, Outcome::unknown);
    EXPECT_EQ(act(silent.url()).outcome, Outcome::unknown);
    silent.close();
    EXPECT_EQ(act(silent.url()).outcome, Outcome::failed);
}

// A later agent need not read a large file again; a file that was just written may still change.
TEST_F(Probes, keep_digests_of_files_that_have_settled) {
    write("fresh", "just written");
    keep_digests_in(path("kept"));
    const std::string settled = digest_file_cached("/bin/bash").value();
    const std::string fresh = digest_file_cached(path("fresh")).value();
    keep_digests_in("");
    EXPECT_EQ(settled, digest_file("/bin/bash").value());
    EXPECT_EQ(read("kept").find(fresh), std::string::npos);
    EXPECT_NE(read("kept").find(settled), std::string::npos);
}

}  // namespace
}  // namespace drydock::agent
