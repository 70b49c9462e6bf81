// The kinds of actions, run in this process against real processes, links and commands.
#include "agent/action.h"
#include "agent/action_key.h"
#include "agent/secrets.h"
#include "agent/service.h"
#include "agent/test_world.h"
#include "base/hash.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <set>
#include <thread>

namespace drydock::agent {
namespace {

class Actions : public testing::Test, protected Scratch {
protected:
    ActionResult run(const Json& request) {
        const ActionContext context = {
            folder_, [](std::string_view text) { return std::string(text); }, [] { return false; }};
        return run_typed(request, context);
    }

    // Returns a service that sleeps; the scratch folder in its arguments makes it unique.
    Json service(const std::string& stop = R"({"signal":"TERM"})") {
        return json(fmt::format(R"({{"type":"process","pid_file":"{0}/pid","log":"{0}/log",
            "cwd":"{0}","stop":{1},
            "argv":["{0}/prog","-c","echo up; exec 3<&0; while :; do read -t 1 x <>{0}/fifo; done",
            "{0}"]}})",
                                folder_,
                                stop));
    }

    void SetUp() override {
        std::filesystem::copy_file(std::filesystem::canonical("/bin/bash"), path("prog"));
        ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    }

    ActionResult start() {
        return run(json(R"({"kind":"service_start"})").set("service", service()));
    }

    ActionResult stop(const std::string& how = R"({"signal":"TERM"})", int within_ms = 5000) {
        return run(json(R"({"kind":"service_stop"})")
                       .set("service", service(how))
                       .set("within_ms", within_ms));
    }

    // A started program has been executed, but may not have come to its first line yet.
    bool logs(std::string_view text) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (read("log") != text && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        return read("log") == text;
    }

    ServiceState look() { return k_process_service.query(service(), 1000); }

    // Only meaningful in a program that closes what it opens.
    static rlim_t first_free_descriptor() {
        return static_cast<rlim_t>(os::open_file("/dev/null", O_RDONLY).value().get());
    }

    static std::string error_code(const ActionResult& result) {
        return result.error ? result.error->code : "";
    }
};

using Phase = ServiceState::Phase;

TEST_F(Actions, start_and_stop_a_process) {
    const auto started = start();
    ASSERT_EQ(started.outcome, Outcome::done) << error_code(started);
    const auto pid = static_cast<pid_t>(started.evidence["pid"].as_int());
    EXPECT_EQ(read("pid"), fmt::format("{} {}\n", pid, os::find_process(pid).value()->start_ticks));
    EXPECT_EQ(look().phase, Phase::running);
    EXPECT_EQ(look().pid, pid);
    EXPECT_EQ(::getsid(pid), pid);
    const auto again = start();  // it runs already, as requested
    EXPECT_EQ(again.outcome, Outcome::done) << error_code(again);
    EXPECT_EQ(again.evidence["pid"].as_int(), pid);
    EXPECT_TRUE(logs("up\n")) << read("log");
    EXPECT_EQ(stop().outcome, Outcome::done);
    EXPECT_EQ(look().phase, Phase::stopped);
    EXPECT_EQ(stop().evidence["note"].as_string(), "was not running");
}

TEST_F(Actions, adopt_a_process_whose_pid_file_is_gone) {
    const auto pid = start().evidence["pid"].as_int();
    ::unlink(path("pid").c_str());
    EXPECT_EQ(look().pid, pid);
    const auto again = start();
    EXPECT_EQ(again.outcome, Outcome::done);
    EXPECT_TRUE(again.evidence["adopted"].as_bool());
    EXPECT_EQ(again.evidence["pid"].as_int(), pid);
    EXPECT_EQ(read("pid").substr(0, read("pid").find(' ')), std::to_string(pid));
}

// A server that overwrites its arguments is known by its title, its program and its folder.
TEST_F(Actions, know_a_process_that_has_renamed_itself) {
    Json renamed = service();
    renamed.set("title", "system: main");
    renamed.set(
        "argv",
        json(fmt::format(R"(["{0}/prog","-c","exec -a 'system: main' {0}/prog -c \"echo up; )"
                         R"(exec 3<&0; while :; do read -t 1 x <>{0}/fifo; done\""])",
                         folder_)));
    const auto begin = [&] {
        return run(json(R"({"kind":"service_start"})").set("service", renamed));
    };
    const auto pid = begin().evidence["pid"].as_int();
    ASSERT_TRUE(logs("up\n")) << read("log");
    EXPECT_EQ(k_process_service.query(renamed, 1000).pid, pid);
    EXPECT_EQ(begin().evidence["pid"].as_int(), pid);
    ::unlink(path("pid").c_str());
    EXPECT_EQ(k_process_service.query(renamed, 1000).pid, pid);
    Json elsewhere = renamed;
    elsewhere.set("cwd", "/");
    EXPECT_EQ(k_process_service.query(elsewhere, 1000).phase, Phase::stopped);
    Json untitled = renamed;
    EXPECT_EQ(k_process_service.query(untitled.set("title", ""), 1000).phase, Phase::stopped);
}

// Programs look there for what a person has set up. The HOME of the caller of sudo is another's.
TEST_F(Actions, have_the_home_of_their_user) {
    const std::string home = ::getpwuid(::geteuid())->pw_dir;
    const std::string before = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
    ::setenv("HOME", "/elsewhere", 1);
    const auto printed = [&](const char* more) {
        const auto result = run(json(fmt::format(
            R"({{"kind":"command","argv":["sh","-c","echo $HOME; env | grep -c ^HOME="]{}}})",
            more)));
        return result.evidence["output_tail"].as_string();
    };
    EXPECT_EQ(printed(""), home + "\n1\n");
    EXPECT_EQ(printed(R"(,"env":{"HOME":"/given"})"), "/given\n1\n");
    ::setenv("HOME", before.c_str(), 1);
}

// Two environments share one interpreter, so the executable does not tell them apart.
TEST_F(Actions, adopt_no_renamed_process_of_another_environment) {
    std::filesystem::create_directories(path("env/bin"));
    std::filesystem::create_symlink(path("prog"), path("env/bin/prog"));
    Json renamed = service();
    renamed.set("title", "system: main");
    renamed.set(
        "argv",
        json(fmt::format(R"(["{0}/env/bin/prog","-c","exec -a 'system: main' {0}/prog -c )"
                         R"(\"echo up; exec 3<&0; while :; do read -t 1 x <>{0}/fifo; done\""])",
                         folder_)));
    run(json(R"({"kind":"service_start"})").set("service", renamed));
    ASSERT_TRUE(logs("up\n")) << read("log");
    EXPECT_EQ(error_code(run(json(R"({"kind":"service_start"})").set("service", renamed))),
              "service.already_running");
}

// The arguments are the same, but the path leads to another release by now: that is an error.
TEST_F(Actions, refuse_to_start_beside_another_release) {
    start();
    std::filesystem::rename(path("prog"), path("old"));
    std::filesystem::copy_file(path("old"), path("prog"));
    EXPECT_EQ(error_code(start()), "service.already_running");
    ::unlink(path("pid").c_str());
    EXPECT_EQ(error_code(start()), "service.already_running");
}

// Arguments of one start behind the service's own do not make it another service.
TEST_F(Actions, start_with_arguments_of_its_own) {
    const auto started = run(
        json(R"({"kind":"service_start","arguments":["--upgrade"]})").set("service", service()));
    ASSERT_EQ(started.outcome, Outcome::done) << error_code(started);
    const auto pid = started.evidence["pid"].as_int();
    EXPECT_EQ(os::find_process(static_cast<pid_t>(pid)).value()->arguments.back(), "--upgrade");
    EXPECT_EQ(look().pid, pid);
    ::unlink(path("pid").c_str());
    EXPECT_EQ(look().pid, pid);
    EXPECT_EQ(stop().outcome, Outcome::done);
}

// A pid file is a hint: another process may have that number by now.
TEST_F(Actions, believe_no_pid_file) {
    write("pid", std::to_string(::getpid()) + "\n");
    EXPECT_EQ(look().phase, Phase::stopped);
    EXPECT_EQ(stop().evidence["note"].as_string(), "was not running");
    const auto pid = start().evidence["pid"].as_int();
    write("pid", std::to_string(pid) + "\n");  // as others write it: no start time
    EXPECT_EQ(look().pid, pid);
    write("pid", std::to_string(pid) + " 1\n");  // reused number: another start time
    EXPECT_EQ(look().pid, pid) << "found by its arguments";
    write("pid", "rubbish");
    EXPECT_EQ(look().pid, pid);
}

TEST_F(Actions, count_a_zombie_as_stopped) {
    os::SpawnOptions options;
    const Json ours = service();
    for (const auto& part : ours["argv"].items()) {
        options.argv.push_back(part.as_string());
    }
    options.folder = folder_;
    auto child = os::spawn(options).value();
    EXPECT_EQ(look().pid, child.pid());
    ::kill(child.pid(), SIGKILL);
    ASSERT_TRUE(os::wait_gone(os::open_process(child.pid()).value(), 5000));
    EXPECT_EQ(look().phase, Phase::stopped);
    (void)child.wait(5000);
}

TEST_F(Actions, say_when_a_process_does_not_end_and_kill_only_if_told) {
    start();
    EXPECT_EQ(error_code(stop(R"({"signal":"USR1"})")), "");  // ends: no handler
    start();
    const auto pid = static_cast<pid_t>(look().pid);
    ::kill(pid, SIGSTOP);  // a stopped process takes no TERM
    const auto stat = fmt::format("/proc/{}/stat", pid);
    wait_until(
        [&] { return os::read_file(stat, 4096).value_or(") T").find(") T") != std::string::npos; });
    EXPECT_EQ(error_code(stop(R"({"signal":"TERM"})", 200)), "service.still_running");
    EXPECT_EQ(look().phase, Phase::running);
    EXPECT_EQ(stop(R"({"signal":"TERM","kill_after_ms":100})").outcome, Outcome::done);
    EXPECT_EQ(look().phase, Phase::stopped);
}

TEST_F(Actions, tell_that_a_program_cannot_be_started) {
    ::unlink(path("prog").c_str());
    const auto started = start();
    EXPECT_EQ(started.outcome, Outcome::failed);
    EXPECT_EQ(error_code(started), "os.exec");
    EXPECT_EQ(look().phase, Phase::stopped);
}

TEST_F(Actions, run_a_service_by_its_own_commands) {
    auto request = json(fmt::format(
        R"({{"kind":"service_start","service":{{"type":"command","start":["touch","{0}/up"],
            "stop":["rm","{0}/up"],"status":["test","-e","{0}/up"]}}}})",
        folder_));
    EXPECT_EQ(run(request).outcome, Outcome::done);
    EXPECT_EQ(k_command_service.query(request["service"], 1000).phase, Phase::running);
    EXPECT_EQ(error_code(run(request)), "service.already_running");
    request.set("kind", "service_stop");
    EXPECT_EQ(run(request).outcome, Outcome::done);
    EXPECT_EQ(run(request).evidence["note"].as_string(), "was not running");
    request.set("service", json(R"({"type":"upstart"})"));
    EXPECT_EQ(error_code(run(request)), "service.unknown_type");
}

// A service between up and down is neither; a status without meaning is unknown.
TEST_F(Actions, read_the_phase_of_a_service_from_its_status) {
    const auto phase = [](const std::string& script) {
        auto service = json(R"({"type":"command"})");
        service.set("status", Json(Json::Array{"sh", "-c", script}));
        return name(k_command_service.query(service, 5000).phase);
    };
    EXPECT_EQ(phase("echo active"), "running");
    EXPECT_EQ(phase("exit 0"), "running");
    EXPECT_EQ(phase("echo inactive; exit 3"), "stopped");
    EXPECT_EQ(phase("exit 1"), "stopped");
    EXPECT_EQ(phase("echo activating; exit 3"), "starting");
    EXPECT_EQ(phase("echo reloading"), "starting");
    EXPECT_EQ(phase("echo deactivating; exit 3"), "stopping");
    EXPECT_EQ(phase("echo failed; exit 3"), "failed");
    EXPECT_EQ(phase("exit 4"), "unknown");
    EXPECT_EQ(phase("exit 127"), "unknown");
    EXPECT_EQ(phase("kill -9 $$"), "unknown");
}

// The stop command of a service often returns before the service has stopped.
TEST_F(Actions, wait_until_a_service_has_really_stopped) {
    auto request = json(fmt::format(
        R"({{"kind":"service_stop","within_ms":10000,"service":{{"type":"command",
            "stop":["touch","{0}/stopping"],
            "status":["{0}/status"]}}}})",
        folder_));
    write("status",
          fmt::format("#!/bin/sh\ntest -e {0}/stopping || exit 0\necho >> {0}/asked\n"
                      "test $(wc -l < {0}/asked) -gt 2 && exit 3\necho deactivating\nexit 3\n",
                      folder_));
    EXPECT_EQ(run(request).outcome, Outcome::done);
    EXPECT_EQ(read("asked"), "\n\n\n");
    write("stopping", "");
    auto blind = request["service"];
    blind.set("status", json(R"(["sh","-c","exit 4"])"));
    const auto unsure = run(request.set("service", blind).set("within_ms", 100));
    EXPECT_EQ(unsure.outcome, Outcome::unknown);
    EXPECT_EQ(error_code(unsure), "service.cannot_tell");
}

// An error of opening or reading a process once counted as its end.
TEST_F(Actions, never_take_an_error_for_the_end_of_a_process) {
    rlimit before = {};
    ::getrlimit(RLIMIT_NOFILE, &before);
    std::set<Outcome> outcomes;
    const auto pid = static_cast<pid_t>(start().evidence["pid"].as_int());
    const auto is_up = [pid] {
        const auto process = os::find_process(pid).value();
        return process && !process->zombie;
    };
    for (rlim_t more = 0; is_up(); ++more) {
        rlimit limit = before;
        limit.rlim_cur = first_free_descriptor() + more;
        ::setrlimit(RLIMIT_NOFILE, &limit);
        const auto stopped = stop();
        ::setrlimit(RLIMIT_NOFILE, &before);
        outcomes.insert(stopped.outcome);
        EXPECT_EQ(stopped.outcome == Outcome::done, !is_up()) << more;
        ASSERT_LT(more, 100U);
    }
    EXPECT_TRUE(outcomes.contains(Outcome::unknown));
}

TEST_F(Actions, switch_a_link_in_one_step) {
    ASSERT_TRUE(os::make_folder_durable(path("v1")) && os::make_folder_durable(path("v2")));
    auto request = json(R"({"kind":"link"})").set("link", path("current"));
    EXPECT_EQ(run(request.set("target", path("v1"))).outcome, Outcome::done);
    EXPECT_EQ(run(request).outcome, Outcome::done);
    EXPECT_EQ(run(request.set("target", path("v2"))).evidence["before"].as_string(), path("v1"));
    EXPECT_EQ(std::filesystem::read_symlink(path("current")), path("v2"));
    EXPECT_EQ(error_code(run(request.set("target", path("none")))), "link.no_target");
    request.set("link", path("v1")).set("target", path("v2"));
    EXPECT_EQ(error_code(run(request)), "link.no_link");
}

TEST_F(Actions, judge_a_command_by_its_end) {
    const auto command = [this](const std::string& script) {
        return run(json(R"({"kind":"command","timeout_ms":300,"exit_done":[0,4]})")
                       .set("argv", Json(Json::Array{"sh", "-c", script})));
    };
    EXPECT_EQ(command("exit 4").outcome, Outcome::done);
    EXPECT_EQ(command("exit 1").outcome, Outcome::failed);
    EXPECT_EQ(command("kill -9 $$").outcome, Outcome::unknown);
    const auto late = command("sleep 30");
    EXPECT_EQ(late.outcome, Outcome::unknown);
    EXPECT_EQ(error_code(late), "command.timeout");
    EXPECT_EQ(late.error->kind, ErrorClass::unknown_outcome);
    EXPECT_EQ(run(json(R"({"kind":"command","argv":["/none"]})")).outcome, Outcome::failed);
}

TEST_F(Actions, run_a_script_only_if_it_is_the_planned_one) {
    auto request = json(R"({"kind":"command","argv":["${script}","a"],"script":{"name":"s.sh",
        "content":"#!/bin/sh\necho got $1\n"}})");
    auto script = request["script"];
    request.set("script", script.set("sha256", sha256_hex(script["content"].as_string())));
    request.set("stdout_file", path("kept"));
    EXPECT_EQ(run(request).outcome, Outcome::done);
    EXPECT_EQ(read("kept"), "got a\n");
    request.set("script", script.set("sha256", "0"));
    EXPECT_EQ(error_code(run(request)), "agent.script_digest");
}

// However the stream is cut, and also when one secret starts like another.
TEST(Secrets, are_hidden_in_a_stream) {
    const auto secrets = json(R"({"a":"abc","b":"abcdef","c":""})");
    const std::string text = "x abcdef abc abcd";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Redactor redactor(secrets);
        std::string told = redactor.feed(text.substr(0, cut));
        told += redactor.feed(text.substr(cut));
        told += redactor.finish();
        EXPECT_EQ(told, "x *** *** ***d");
    }
}

TEST(Secrets, are_filled_in_but_not_into_scripts) {
    const auto request = json(R"({"argv":["-p${secret:p}x"],"script":{"content":"${secret:p}"}})");
    EXPECT_EQ(*fill_secrets(request, json(R"({"p":"1"})")),
              json(R"({"argv":["-p1x"],"script":{"content":"${secret:p}"}})"));
    EXPECT_EQ(fill_secrets(request, Json()).error().code, "agent.secret_missing");
}

TEST(Text, becomes_utf8) {
    EXPECT_EQ(to_utf8("a\xff\xc3\xa9\xc3"), "a?\xc3\xa9?");
}

}  // namespace
}  // namespace drydock::agent
