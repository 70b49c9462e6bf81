// kill -9 of a process that appends to the journal, again and again on one journal.
#include "journal/sqlite/sqlite_journal.h"
#include "journal/test_writer.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace drydock::journal {
namespace {

namespace fs = std::filesystem;

constexpr int k_rounds = 20;

// The child: takes the lease and reports each append that returned, for ever.
[[noreturn]] void append_and_report(const fs::path& path, int pipe) {
    const auto journal = open_sqlite(path).value();
    TestWriter writer(*journal);
    bool good = writer.take("roll", {"here", ::getpid(), 1}).has_value();
    while (good) {
        const std::vector<Json> events(2, Json::Object{{"type", "action.intended"}});
        const auto head = writer.append("roll", 1, events);
        good =
            head
            && ::write(pipe, &head->records, sizeof head->records) == ssize_t{sizeof head->records};
    }
    ::_exit(1);
}

// Lets a child report `count` records, kills it, and answers the last one it reported.
std::uint64_t killed_after(const fs::path& path, int count) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        append_and_report(path, ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t reported = 0;
    for (int i = 0; i < count; ++i) {
        EXPECT_EQ(::read(ends[0], &reported, sizeof reported), ssize_t{sizeof reported});
    }
    ::kill(child, SIGKILL);
    while (::read(ends[0], &reported, sizeof reported) > 0) {
    }
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    return reported;
}

// Every append that returned is there, the chain holds, and the dead conductor holds nothing.
TEST(JournalCrash, KeepsEveryReportedRecordWhenKilled) {
    std::string name = (fs::temp_directory_path() / "drydock-journal-XXXXXX").string();
    const fs::path folder = ::mkdtemp(name.data());
    const fs::path path = folder / "journal.db";
    ASSERT_TRUE(TestWriter(*open_sqlite(path).value()).begin({"roll", 1, ""}));
    for (int round = 1; round <= k_rounds; ++round) {
        const std::uint64_t reported = killed_after(path, 1 + 3 * round);
        const auto journal = open_sqlite(path, OpenMode::existing).value();
        const auto head = journal->verify("roll");
        ASSERT_TRUE(head) << head.error().text();
        EXPECT_GE(head->records, reported);
        EXPECT_LE(head->records, reported + 1);
        EXPECT_EQ(journal->find_run("roll")->epoch, static_cast<std::uint64_t>(round + 1));
        EXPECT_EQ(journal->find_run("roll")->holder, std::nullopt);
    }
    fs::remove_all(folder);
}

}  // namespace
}  // namespace drydock::journal
