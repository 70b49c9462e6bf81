// A supervisor that dies alone: its processes are found, with groups and without.
#include "agent/containment.h"
#include "agent/test_agent.h"
#include "os/cgroup.h"

#include <sys/stat.h>
#include <unistd.h>

namespace drydock::agent {
namespace {

// Empty, or why groups cannot be tested here.
std::string why_no_groups() {
    const auto own = os::cgroup_of();
    if (!own) {
        return own.error().message;
    }
    const std::string group = *own + "/drydock-test-" + std::to_string(::getpid());
    if (::mkdir(group.c_str(), 0755) != 0) {
        return "no group can be made below " + *own;
    }
    os::remove_cgroup(group);
    return "";
}

// With groups, or without.
class Containments : public testing::TestWithParam<bool>, protected AgentFixture {
protected:
    void SetUp() override {
        if (const auto reason = GetParam() ? why_no_groups() : ""; !reason.empty()) {
            GTEST_SKIP() << reason;
        }
        connect(GetParam() ? std::vector<std::string>()
                           : std::vector<std::string>{"DRYDOCK_AGENT_NO_CGROUP=1"});
    }

    // A grandchild in a session of its own, which writes until it finds the file `go`.
    Json worker() {
        return shell("setsid sh -c 'echo $$ > " + path("pid") + "; while ! test -e " + path("go")
                     + "; do echo old >> " + path("copy") + "; sleep 0.02; done' & wait");
    }

    void kill_supervisor(const std::string& attempt) {
        wait_until([&] { return !read("pid").empty(); });
        const auto pid = std::atoi(read("state/r1/" + attempt + "/lock").c_str());
        ASSERT_GT(pid, 1);
        const auto process = os::open_process(pid).value();
        ASSERT_EQ(::kill(pid, SIGKILL), 0);
        ASSERT_TRUE(os::wait_gone(process, 5000));
    }

    Json look(const std::string& action) { return call(attach(action).set("wait", false)); }

    Json running() { return call(json(R"({"do":"hello"})"))["running"]; }

    Json cancel(const std::string& action) {
        return call(
            json(R"({"do":"cancel","run":"r1","attempt":1,"epoch":1})").set("action", action));
    }
};

// Otherwise a second attempt would write beside the first.
TEST_P(Containments, keep_an_attempt_running_while_its_processes_live) {
    ask(exec("a", worker()), 1000);
    kill_supervisor("a.1");
    EXPECT_EQ(look("a")["state"].as_string(), "running");
    EXPECT_EQ(running().items().size(), 1U);
    wait_until([&] {
        (void)look("a");  // receives pending frames
        return !progress_.empty();
    });
    EXPECT_GE(progress_.begin()->second["progress"]["left_behind"].as_int(), 1);
    write("go", "");
    EXPECT_EQ(answer(1000)["state"].as_string(), "torn");
    EXPECT_EQ(running(), Json(Json::Array{}));
}

TEST_P(Containments, end_what_was_left_behind_when_cancelled) {
    ask(exec("a", worker()), 1000);
    kill_supervisor("a.1");
    EXPECT_FALSE(cancel("a").contains("error"));
    EXPECT_EQ(answer(1000)["state"].as_string(), "torn");
}

// A conductor may ask for a second attempt too early; the host itself does not begin it.
TEST_P(Containments, keep_the_next_attempt_away_while_one_lives) {
    ask(exec("a", worker()), 1000);
    kill_supervisor("a.1");
    const Json next = exec("a", shell("echo new >> " + path("copy"))).set("attempt", 2);
    const Json refused = call(next)["error"];
    EXPECT_EQ(refused["code"].as_string(), "agent.attempt_running");
    EXPECT_EQ(refused["class"].as_string(), "transient");
    EXPECT_NE(refused["message"].as_string().find("attempt 1 of a"), std::string::npos);
    EXPECT_EQ(call(exec("b", shell("true")))["state"].as_string(), "ended") << "another action";
    write("go", "");
    EXPECT_EQ(answer(1000)["state"].as_string(), "torn");
    EXPECT_EQ(call(next)["state"].as_string(), "ended");
    EXPECT_EQ(read("copy").substr(read("copy").size() - 4), "new\n");
}

// A time-out ends all processes of the command, and not only its own session.
TEST_P(Containments, end_all_processes_of_a_command_that_is_late) {
    const auto ended = call(exec("a", worker().set("timeout_ms", 1000)));
    EXPECT_EQ(ended["result"]["error"]["code"].as_string(), "command.timeout");
    const auto process = os::find_process(std::atoi(read("pid").c_str())).value();
    EXPECT_TRUE(!process || process->zombie);
}

// The processes of a service are meant to stay.
TEST_P(Containments, let_a_service_outlive_its_start) {
    std::filesystem::copy_file(std::filesystem::canonical("/bin/sleep"), path("prog"));
    auto start = json(R"({"kind":"service_start","service":{"type":"process"}})");
    auto service = start["service"];
    service.set("argv", Json(Json::Array{path("prog"), "300"}))
        .set("pid_file", path("service.pid"));
    connect(GetParam() ? std::vector<std::string>{"DRYDOCK_AGENT_CRASH=after_effect"}
                       : std::vector<std::string>{"DRYDOCK_AGENT_CRASH=after_effect",
                                                  "DRYDOCK_AGENT_NO_CGROUP=1"});
    EXPECT_EQ(call(exec("start", start.set("service", service)))["state"].as_string(), "torn");
    const auto pid = std::atoi(read("service.pid").c_str());
    EXPECT_TRUE(os::find_process(pid).value());
}

TEST_P(Containments, leave_no_group_behind) {
    call(exec("a", shell("true")));
    call(exec("b", shell("sleep 60").set("timeout_ms", 200)));
    for (const auto* attempt : {"a.1", "b.1"}) {
        const auto record = json(read(std::string("state/r1/") + attempt + "/containment.json"));
        EXPECT_EQ(record["group"].as_string().empty(), !GetParam());
        const std::string procs = record["group"].as_string() + "/cgroup.procs";
        for (int i = 0; i < 100 && std::filesystem::exists(procs); ++i) {
            transport_->wait({conversation_.get()}, 50);  // the agent reaps the supervisor first
        }
        EXPECT_FALSE(std::filesystem::exists(procs));
    }
}

// The file of a copy is that of one attempt alone.
TEST_P(Containments, give_each_attempt_a_part_file_of_its_own) {
    auto copy = worker().set("stdout_file", path("kept"));
    ask(exec("a", copy), 1000);
    kill_supervisor("a.1");
    EXPECT_TRUE(std::filesystem::exists(path("kept.r1.a.1.part")));
    write("go", "");
    EXPECT_EQ(answer(1000)["state"].as_string(), "torn");
    copy.set("argv", Json(Json::Array{"echo", "new"}));
    EXPECT_EQ(call(exec("a", copy).set("attempt", 2))["state"].as_string(), "ended");
    EXPECT_EQ(read("kept"), "new\n");
    EXPECT_TRUE(std::filesystem::exists(path("kept.r1.a.1.part")));
}

INSTANTIATE_TEST_SUITE_P(Ways, Containments, testing::Bool(), [](const auto& way) {
    return way.param ? "group" : "cookie";
});

// After a boot no process of an attempt is left, even if other processes have its numbers.
TEST(ContainmentRecords, of_another_boot_name_nobody) {
    class Folder : public Scratch {
    } scratch;

    EXPECT_TRUE(contained_processes(scratch.path("none"))->empty());
    scratch.write("containment.json", R"({"boot_id":"other","group":"/","start_ticks":0})");
    EXPECT_TRUE(contained_processes(scratch.path(""))->empty());
    scratch.write("containment.json", "");
    EXPECT_TRUE(contained_processes(scratch.path(""))->empty()) << "of a power cut";
}

}  // namespace
}  // namespace drydock::agent
