#include "os/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

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

// Lets this process open so many more descriptors, for as long as it lives.
class DescriptorLimit {
public:
    explicit DescriptorLimit(rlim_t more) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        std::vector<Fd> probes;
        for (rlim_t i = 0; i <= more; ++i) {
            probes.push_back(open_file("/dev/null", O_RDONLY).value());
        }
        rlimit limit = before_;
        limit.rlim_cur = static_cast<rlim_t>(probes.back().get());
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }

    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

private:
    rlimit before_ = {};
};

// With any number of descriptors: an error means that the program never ran, and never will.
TEST(Process, never_runs_after_an_error) {
    std::string name = testing::TempDir() + "drydock-spawn.XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    const std::string effect = name + "/effect";
    SpawnOptions options;
    options.argv = {"sh", "-c", "echo > " + effect};
    int failures = 0;
    for (rlim_t more = 0;; ++more) {
        Result<Child> child = fail("test", "not started");
        {
            const DescriptorLimit limit(more);
            child = spawn(options);
        }
        if (child) {
            EXPECT_TRUE(child->wait(5000));
            break;
        }
        ++failures;
        EXPECT_EQ(::waitpid(-1, nullptr, 0), -1) << "a child is left";
        struct stat facts = {};
        EXPECT_NE(::stat(effect.c_str(), &facts), 0) << "it ran with " << more;
    }
    EXPECT_GE(failures, 6) << "the process descriptor comes last";
    ::unlink(effect.c_str());
    ::rmdir(name.c_str());
}

TEST(Process, waits_to_be_executed_until_its_parent_is_ready) {
    SpawnOptions options;
    options.argv = {"sleep", "60"};
    std::vector<std::string> arguments;
    options.before_start = [&](pid_t pid) { arguments = find_process(pid).value()->arguments; };
    auto child = spawn(options).value();
    EXPECT_NE(arguments, options.argv);
    EXPECT_EQ(find_process(child.pid()).value()->arguments, options.argv);
    child.signal(SIGKILL);
    (void)child.wait(5000);
}

// A program that prints for ever has a deadline, too.
TEST(Process, is_ended_while_its_output_never_pauses) {
    auto options = command({"yes"});
    options.timeout_ms = 200;
    std::size_t bytes = 0;
    options.sink = [&bytes](std::string_view text) { bytes += text.size(); };
    const auto run = run_to_end(options);
    EXPECT_TRUE(run->timed_out);
    EXPECT_LT(run->duration_ms, 5000);
    EXPECT_GT(bytes, 0U);
}

TEST(Process, is_gone_only_if_that_is_sure) {
    EXPECT_FALSE(find_process(-1).value());
    const DescriptorLimit limit(0);
    EXPECT_EQ(find_process(::getpid()).error().code, "os.proc");
    EXPECT_EQ(list_processes().error().code, "os.proc");
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
