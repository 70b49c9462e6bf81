// The beginning of actions: deadlines, tombstones, starts that fail, the index and old runs.
#include "agent/attempt.h"
#include "agent/claim_files.h"
#include "agent/fork_server.h"
#include "agent/local_host.h"
#include "agent/old_runs.h"
#include "agent/test_agent.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/time.h>

namespace drydock::agent {
namespace {

class Begin : public testing::Test, protected AgentFixture {
protected:
    Json effect() { return shell("echo ran >> " + path("effects")); }

    Json late_exec(std::int64_t by_ms) { return exec("a", effect()).set("begin_by_ms", by_ms); }

    std::int64_t clock_ms() { return call(json(R"({"do":"hello"})"))["clock_ms"].as_int(); }

    // The fork server that this process started.
    static pid_t find_fork_server() {
        const auto list = os::list_processes().value();
        for (const pid_t pid : list.pids) {
            const auto process = os::find_process(pid);
            if (process && *process && (*process)->parent == ::getpid() && !(*process)->zombie
                && (*process)->arguments.back() == "--fork-server") {
                return pid;
            }
        }
        throw std::runtime_error("no fork server runs");
    }

    void make_ended(const std::string& folder) {
        std::filesystem::create_directories(path("state/" + folder));
        write("state/" + folder + "/result.json", R"({"outcome":"done"})");
        write("state/" + folder + "/lock", "1 1\n");
    }
};

// An agent once said "none" and then got the lock that it had waited for, and began.
TEST_F(Begin, never_comes_after_its_deadline) {
    connect();
    const auto by_ms = clock_ms() + 200;
    {
        const auto lock = os::FileLock::take(path("state/.fence.lock"), "a test").value();
        ask(late_exec(by_ms), 1000);
        const auto other = make_test_transport();
        const auto talk = other->open({"here", {"env"}, {}, DRYDOCK_AGENT, path("state")}).value();
        ASSERT_TRUE(talk->send(attach("a").set("n", 1).set("begin_by_ms", by_ms)));
        os::RealClock clock;
        while (clock.monotonic_ms() < by_ms + 500) {
            other->wait({talk.get()}, 50);
            EXPECT_EQ(talk->receive()->size(), 0U) << "it may still begin";
        }
    }
    EXPECT_EQ(answer(1000)["state"].as_string(), "none");
    EXPECT_EQ(call(attach("a"))["state"].as_string(), "none");
    EXPECT_EQ(read("effects"), "");
    EXPECT_TRUE(is_closed(path("state/r1/a.1")));
}

TEST_F(Begin, never_comes_after_somebody_was_told_none) {
    connect();
    EXPECT_EQ(call(attach("a"))["state"].as_string(), "none");
    EXPECT_EQ(call(exec("a", effect()))["state"].as_string(), "none");
    EXPECT_EQ(read("effects"), "");
    EXPECT_EQ(call(attach("b").set("wait", false))["state"].as_string(), "none");
    EXPECT_EQ(call(exec("b", effect()))["state"].as_string(), "ended");
}

// A supervisor that could not be started once left a result "failed", and then did its work.
TEST_F(Begin, is_refused_when_no_supervisor_can_be_started) {
    const auto host = LocalHost::open(path("state"), "/nowhere/agent").value();
    const ActionKey key = {"r1", "a", 1};
    const auto begun = host->begin({{"", 1}, {}}, key, effect(), {});
    EXPECT_EQ(begun.error().code, "os.exec");
    EXPECT_EQ(host->query(key).phase, ActionPhase::none);
    EXPECT_FALSE(std::filesystem::exists(path("state/r1/a.1/result.json")));
    EXPECT_TRUE(host->running()->empty());
}

// The index forgets ended attempts, but no query changes it.
TEST_F(Begin, leaves_no_trace_of_ended_attempts_in_the_index) {
    connect();
    call(json(R"({"do":"hello"})"));
    make_ended("r1/old.1");
    std::filesystem::create_directories(path("state/.running/r1"));
    write("state/.running/r1/old.1", "");
    call(exec("a", effect()));
    EXPECT_EQ(call(json(R"({"do":"hello"})"))["running"], Json(Json::Array{}));
    EXPECT_TRUE(std::filesystem::exists(path("state/.running/r1/old.1")));
    call(json(R"({"do":"fence","epoch":1})"));
    EXPECT_FALSE(std::filesystem::exists(path("state/.running/r1/old.1")));
    for (int i = 0; i < 100 && std::filesystem::exists(path("state/.running/r1")); ++i) {
        transport_->wait({conversation_.get()}, 50);  // the agent reaps the supervisor first
    }
    EXPECT_FALSE(std::filesystem::exists(path("state/.running/r1")));
}

// The first query of a folder finds the attempts of an agent that had no index.
TEST_F(Begin, finds_what_an_older_agent_began) {
    make_ended("r0/a.1");
    make_ended("r0/b.1");
    std::filesystem::remove(path("state/r0/b.1/result.json"));
    std::filesystem::permissions(path("state"), std::filesystem::perms::owner_all);
    const auto lock = os::FileLock::take(path("state/r0/b.1/lock"), "1 1").value();
    connect();
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(call(json(R"({"do":"hello"})"))["running"],
                  json(R"([{"run":"r0","action":"b","attempt":1,"journal":""}])"));
    }
    EXPECT_FALSE(std::filesystem::exists(path("state/.running/r0/a.1")));
}

// Otherwise the first comer would own a host that obeyed another conductor.
TEST_F(Begin, is_refused_when_the_fence_is_gone_or_damaged) {
    for (const std::string fence : {"", "rubbish"}) {
        connect();
        const auto raised = [this](int epoch, bool take_over) {
            return call(json(R"({"do":"fence","owner":{"cluster":"c","journal":"j"}})")
                            .set("epoch", epoch)
                            .set("take_over", take_over));
        };
        const int epoch = fence.empty() ? 1 : 3;
        EXPECT_EQ(raised(epoch, false)["fence"].as_int(), epoch);
        const Json named = exec("a" + fence, effect(), epoch).set("journal", "j");
        EXPECT_EQ(call(named)["state"].as_string(), "ended");
        std::filesystem::remove(path("state/.fence"));
        if (!fence.empty()) {
            write("state/.fence", fence);
        }
        const Json hello = call(json(R"({"do":"hello"})"));
        EXPECT_EQ(hello["fence_error"]["code"].as_string(), "agent.fence_damaged");
        EXPECT_FALSE(hello.contains("owners"));
        const Json refused = raised(epoch + 1, false)["error"];
        EXPECT_EQ(refused["code"].as_string(), "agent.fence_damaged");
        EXPECT_NE(refused["remedy"].as_string().find("--take-over"), std::string::npos);
        EXPECT_EQ(call(exec("b", effect()).set("journal", "j"))["error"]["code"].as_string(),
                  "agent.fence_damaged");
        EXPECT_EQ(raised(epoch + 1, true)["fence"].as_int(), epoch + 1);
    }
}

// Nothing that runs must be overlooked because a folder cannot be read.
TEST_F(Begin, is_refused_when_nobody_can_tell_what_runs) {
    connect();
    EXPECT_EQ(call(exec("a", effect()))["state"].as_string(), "ended");
    std::filesystem::remove_all(path("state/.running"));
    write("state/.running", "no folder");
    EXPECT_EQ(call(json(R"({"do":"hello"})"))["error"]["code"].as_string(), "os.open");
    EXPECT_EQ(call(exec("b", effect()))["error"]["code"].as_string(), "os.open");
    EXPECT_EQ(read("effects"), "ran\n");
}

// Two attempts side by side would write over each other.
TEST_F(Begin, comes_one_attempt_of_an_action_at_a_time) {
    connect();
    ask(exec("a", shell("until test -e " + path("go") + "; do sleep 0.02; done")), 1000);
    Json next = exec("a", effect()).set("attempt", 2);
    EXPECT_EQ(call(next)["error"]["code"].as_string(), "agent.attempt_running");
    EXPECT_EQ(call(attach("a").set("attempt", 2).set("wait", false))["state"].as_string(), "none");
    EXPECT_EQ(call(exec("a", effect()).set("run", "r2"))["state"].as_string(), "ended");
    write("go", "");
    EXPECT_EQ(answer(1000)["state"].as_string(), "ended");
    EXPECT_EQ(call(next)["state"].as_string(), "ended");
}

class OldRuns : public Begin {
protected:
    void make_run(const std::string& run, int days) {
        make_ended(run + "/a.1");
        const timeval then = {k_now_s - days * 24L * 3600, 0};
        const timeval times[] = {then, then};
        ASSERT_EQ(::utimes(path("state/" + run).c_str(), times), 0);
    }

    void remove() {
        mark_old_runs(path("state"), k_now_s * 1000);
        remove_marked_runs(path("state"));
    }

    bool is_there(const std::string& run) {
        return std::filesystem::exists(path("state/" + run + "/a.1"));
    }

    static constexpr time_t k_now_s = 1'800'000'000;
};

TEST_F(OldRuns, go_and_the_newest_stay) {
    for (std::size_t i = 0; i < k_keep_runs; ++i) {
        make_run(fmt::format("new{}", i), 40);
    }
    make_run("old", 50);
    make_run("open", 60);
    std::filesystem::remove(path("state/open/a.1/result.json"));
    make_run("older", 70);
    remove();
    EXPECT_TRUE(is_there("new0"));
    EXPECT_TRUE(is_there("open")) << "nobody knows how far it came";
    EXPECT_FALSE(is_there("old"));
    EXPECT_FALSE(is_there("older"));
}

TEST_F(OldRuns, stay_for_a_month) {
    for (std::size_t i = 0; i < k_keep_runs + 5; ++i) {
        make_run(fmt::format("r{}", i), 29);
    }
    remove();
    EXPECT_TRUE(is_there("r0") && is_there("r24"));
}

// A removed attempt must not look as if it had never begun.
TEST_F(OldRuns, never_begin_again) {
    make_run("r1", 50);
    for (std::size_t i = 0; i < k_keep_runs; ++i) {
        make_run(fmt::format("new{}", i), 40);
    }
    remove();
    ASSERT_FALSE(is_there("r1"));
    std::filesystem::permissions(path("state"), std::filesystem::perms::owner_all);
    connect();
    EXPECT_EQ(call(attach("a"))["state"].as_string(), "torn");
    EXPECT_EQ(call(exec("a", effect()))["error"]["code"].as_string(), "agent.run_removed");
    EXPECT_EQ(read("effects"), "");
}

// The disk may take long between the agent's look at the deadline and the effect.
TEST_F(Begin, never_comes_by_a_supervisor_that_is_late) {
    for (const bool late : {true, false}) {
        const std::string folder = path(late ? "late" : "soon");
        ASSERT_TRUE(os::make_folder_durable(folder));
        os::RealClock clock;
        Json order;
        order.set("request", shell("echo ran > " + folder + "/effect"));
        order.set("secrets", Json(Json::Object{}));
        order.set("begin_by_ms", clock.monotonic_ms() + (late ? -1 : 60'000));
        ASSERT_TRUE(os::write_file_durable(folder + "/order", order.dump()));
        const auto input = os::open_file(folder + "/order", O_RDONLY).value();
        const auto lock = os::FileLock::take(folder + "/lock", "a test").value();
        auto server = ForkServer::start(DRYDOCK_AGENT).value();
        const auto done = server.fork({folder, input.get(), lock.descriptor()});
        ASSERT_TRUE(done) << done.error().text();
        ASSERT_TRUE(os::wait_gone(*done, 10'000));
        EXPECT_EQ(os::read_file(folder + "/effect", 100).has_value(), !late);
        EXPECT_EQ(read_attempt(folder)->phase, late ? ActionPhase::none : ActionPhase::ended);
    }
}

// A person removes the folder of a run that works: that is no proof that nothing was begun.
TEST_F(Begin, is_not_forgotten_when_the_folder_of_its_run_goes) {
    connect();
    ask(exec("slow", shell("sleep 0.5")), 1);
    wait_until([&] { return os::exists(path("state/r1/slow.1/containment.json")); });
    std::filesystem::remove_all(path("state/r1"));
    for (const bool anew : {false, true}) {
        if (anew) {
            connect();
        }
        call(json(R"({"do":"fence","epoch":1})"));
        EXPECT_EQ(call(attach("slow"))["state"].as_string(), "torn");
    }
}

// The fork server may be killed, say for want of memory. A new one starts the next action, and
// running actions go on.
TEST_F(Begin, goes_on_when_the_fork_server_has_died) {
    const auto host = LocalHost::open(path("state"), DRYDOCK_AGENT).value();
    ASSERT_TRUE(host->fence({"c", "j", 1, "ann", 0, {}}, false));
    const auto begin = [&](const std::string& action, const std::string& script) {
        return host->begin({{"j", 1}, {}}, {"r1", action, 1}, shell(script), Json(Json::Object{}));
    };
    const auto outcome = [&](const std::string& action) {
        wait_until([&] { return host->query({"r1", action, 1}).phase == ActionPhase::ended; });
        return host->query({"r1", action, 1}).detail["outcome"].as_string();
    };
    ASSERT_TRUE(begin("slow", "sleep 0.5; echo ran > " + path("slow")));
    ::kill(find_fork_server(), SIGKILL);
    const auto begun = begin("next", "echo ran > " + path("next"));
    ASSERT_TRUE(begun) << begun.error().text();
    EXPECT_EQ(outcome("next"), "done");
    EXPECT_EQ(outcome("slow"), "done");
    EXPECT_TRUE(os::exists(path("slow")) && os::exists(path("next")));
}

// A fork server that hangs is ended with its orders: it would hold the locks of their attempts.
TEST_F(Begin, gives_the_lock_back_when_the_fork_server_hangs) {
    write("order", "{}");
    const auto input = os::open_file(path("order"), O_RDONLY).value();
    pid_t pid = 0;
    {
        auto server = ForkServer::start(DRYDOCK_AGENT, 100).value();
        pid = find_fork_server();
        ::kill(pid, SIGSTOP);
        const auto lock = os::FileLock::take(path("lock"), "a test").value();
        ASSERT_FALSE(server.fork({path("a"), input.get(), lock.descriptor()}));
    }
    EXPECT_FALSE(os::is_locked(path("lock")).value());
    EXPECT_FALSE(os::find_process(pid).value().has_value()) << "a zombie, or stopped still";
}

// The fork server dies between order and answer: its child never begins, and no agent waits for it.
TEST_F(Begin, goes_on_when_the_fork_server_dies_before_its_answer) {
    ::setenv("DRYDOCK_AGENT_CRASH", "after_fork", 1);
    ::setenv("DRYDOCK_AGENT_CRASH_ONCE", path("crashed").c_str(), 1);
    const auto host = LocalHost::open(path("state"), DRYDOCK_AGENT).value();
    ASSERT_TRUE(host->fence({"c", "j", 1, "ann", 0, {}}, false));
    os::RealClock clock;
    const auto before_ms = clock.monotonic_ms();
    const auto begun = host->begin(
        {{"j", 1}, {}}, {"r1", "a", 1}, shell("echo ran >> " + path("ran")), Json(Json::Object{}));
    const auto took_ms = clock.monotonic_ms() - before_ms;
    ::unsetenv("DRYDOCK_AGENT_CRASH");
    ::unsetenv("DRYDOCK_AGENT_CRASH_ONCE");
    ASSERT_TRUE(begun) << begun.error().text();
    EXPECT_TRUE(os::exists(path("crashed")));
    EXPECT_LT(took_ms, 5'000);
    wait_until([&] { return host->query({"r1", "a", 1}).phase == ActionPhase::ended; });
    EXPECT_EQ(read("ran"), "ran\n");
}

// The fork server answers too late: the agent has said by then that nothing began.
TEST_F(Begin, never_comes_when_the_fork_server_answers_too_late) {
    auto server = ForkServer::start(DRYDOCK_AGENT, 200).value();
    const pid_t pid = find_fork_server();
    ASSERT_TRUE(os::make_folder_durable(path("a")));
    Json order;
    order.set("request", shell("echo ran > " + path("effect")))
        .set("secrets", Json(Json::Object{}));
    write("order", order.dump());
    const auto input = os::open_file(path("order"), O_RDONLY).value();
    {
        const auto lock = os::FileLock::take(path("a/lock"), "a test").value();
        ::kill(pid, SIGSTOP);
        const auto begun = server.fork({path("a"), input.get(), lock.descriptor()});
        ASSERT_FALSE(begun);
        EXPECT_EQ(begun.error().code, "os.recvmsg");
        ::kill(pid, SIGCONT);
    }
    // The child that it makes now has the lock, and gives it back without having begun.
    wait_until([&] { return !os::is_locked(path("a/lock")).value(); });
    EXPECT_FALSE(os::exists(path("effect")));
    EXPECT_FALSE(os::exists(path("a/result.json")));
}

// Two conductors with state folders of their own, and so with registries of their own.
TEST(Claims, are_kept_beside_what_they_name) {
    std::string name = testing::TempDir() + "drydock-claims-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const std::string& folder = name;
    const std::vector<std::string> claims = {"pid_file " + folder + "/pid", "unit x.service"};
    const auto owner = [&](const std::string& journal) {
        return Owner{"prod", journal, 1, "ann@one", 0, claims};
    };
    ASSERT_TRUE(claim_paths(owner("first"), false));
    EXPECT_EQ(claim_paths(owner("second"), false).error().code, "agent.owned");
    EXPECT_TRUE(hold_claims(claims, {"first", 1}));
    ASSERT_TRUE(claim_paths(owner("second"), true));
    EXPECT_EQ(hold_claims(claims, {"first", 1}).error().code, "agent.fenced");
    EXPECT_TRUE(hold_claims(claims, {"second", 1}));
    EXPECT_TRUE(hold_claims({"pid_file /nowhere/at/all/pid"}, {"first", 1}));
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace drydock::agent
