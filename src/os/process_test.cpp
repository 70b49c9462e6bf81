#include "os/process.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace drydock::os {
namespace {

RunOptions command(std::vector<std::string> argv) {
    RunOptions options;
    options.spawn.argv = std::move(argv);
    return options;
}

TEST(Process, runs_to_its_end_with_output_and_exit) {
    const auto run = run_to_end(command({"sh", "-c", "echo out; echo err >&2; exit 3"}));
    ASSERT_TRUE(run);
    EXPECT_EQ(run->exit.code, 3);
    EXPECT_EQ(run->output, "out\nerr\n");
}

TEST(Process, is_ended_with_its_group_at_the_deadline) {
    auto options = command({"sh", "-c", "echo $$; sleep 60 & sleep 60"});
    options.timeout_ms = 200;
    const auto run = run_to_end(options);
    ASSERT_TRUE(run);
    EXPECT_TRUE(run->timed_out);
    EXPECT_LT(run->duration_ms, 5000);
    EXPECT_FALSE(find_process(std::stoi(run->output)).value());
}

TEST(Process, gets_only_what_it_was_given) {
    ::setenv("DRYDOCK_TEST_LEAK", "leaked", 1);
    auto options = command({"sh", "-c", "echo $DRYDOCK_TEST_LEAK$GIVEN; ls /proc/self/fd"});
    options.spawn.environment = clean_environment({{"GIVEN", "yes"}});
    const auto leaky = open_file("/dev/null", 0).value();
    ::fcntl(leaky.get(), F_SETFD, 0);
    const auto run = run_to_end(options);
    EXPECT_EQ(run->output, "yes\n0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST(Process, that_cannot_start_is_an_error) {
    EXPECT_EQ(run_to_end(command({"/nowhere/x"})).error().code, "os.exec");
    EXPECT_EQ(run_to_end(command({})).error().code, "os.exec");
}

// A daemon that keeps the output open must not keep us waiting.
TEST(Process, leaves_a_daemon_behind_without_waiting_for_it) {
    const auto run = run_to_end(command({"sh", "-c", "sleep 5 & echo $!"}));
    ASSERT_TRUE(run);
    EXPECT_LT(run->duration_ms, 3000);
    const pid_t daemon = std::stoi(run->output);
    ASSERT_TRUE(find_process(daemon).value());
    ::kill(daemon, SIGKILL);
}

TEST(Process, cuts_output_at_the_limit) {
    auto options = command({"sh", "-c", "printf 0123456789"});
    options.output_max = 4;
    const auto run = run_to_end(options);
    EXPECT_EQ(run->output, "0123");
    EXPECT_TRUE(run->output_cut);
}

// A zombie is gone: it holds no port, no file and no lock any more.
TEST(Process, counts_a_zombie_as_gone) {
    SpawnOptions options;
    options.argv = {"true"};
    auto child = spawn(options).value();
    const auto process = open_process(child.pid()).value();
    EXPECT_TRUE(wait_gone(process, 5000));
    const auto facts = find_process(child.pid()).value();
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->zombie);
    EXPECT_EQ(child.wait(1000)->code, 0);
}

TEST(Process, reads_what_proc_says) {
    SpawnOptions options;
    options.argv = {"sleep", "60"};
    options.folder = "/";
    auto child = spawn(options).value();
    const auto facts = find_process(child.pid()).value();
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->arguments, options.argv);
    EXPECT_EQ(facts->folder, "/");
    EXPECT_GT(facts->start_ticks, 0U);
    child.signal(SIGKILL);
    EXPECT_EQ(child.wait(5000)->signal, SIGKILL);
}

}  // namespace
}  // namespace drydock::os
