// Files beside a database that SQLite would follow, delete or wait for.
#include "os/files.h"
#include "os/sqlite_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::os {
namespace {

namespace fs = std::filesystem;

class SqliteFiles : public testing::Test {
protected:
    SqliteFiles() {
        EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
        EXPECT_TRUE(write_file_durable(path(), "a database"));
    }

    ~SqliteFiles() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::string path() const { return folder_ + "/db"; }

    [[nodiscard]] std::string code() const {
        const auto checked = check_sqlite_files(path());
        return checked ? "" : checked.error().code;
    }

    std::string folder_ = testing::TempDir() + "drydock-sqlite.XXXXXX";
};

TEST_F(SqliteFiles, PlainFilesBesideItAreFine) {
    EXPECT_EQ(check_sqlite_files(path()).value(), real_path_of(path()));
    for (const char* suffix : {"-journal", "-wal", "-shm"}) {
        ASSERT_TRUE(write_file_durable(path() + suffix, "of a writer that died"));
    }
    EXPECT_EQ(code(), "");
    ASSERT_TRUE(write_file_durable(path() + "-journal", "short"));
    EXPECT_EQ(code(), "");
}

TEST_F(SqliteFiles, PipesAndLinksAreRefused) {
    for (const char* suffix : {"-journal", "-wal", "-shm"}) {
        ASSERT_EQ(::mkfifo((path() + suffix).c_str(), 0600), 0);
        EXPECT_EQ(code(), "os.not_plain") << suffix;
        fs::remove(path() + suffix);
        fs::create_symlink("/etc/passwd", path() + suffix);
        EXPECT_EQ(code(), "os.not_plain") << suffix;
        fs::remove(path() + suffix);
    }
    fs::remove(path());
    EXPECT_EQ(code(), "os.missing");
    ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
    EXPECT_EQ(code(), "os.not_plain");
}

TEST_F(SqliteFiles, AJournalThatNamesAnotherFileIsRefused) {
    const std::string end("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8);
    ASSERT_TRUE(write_file_durable(path() + "-journal", "pages and a name" + end));
    EXPECT_EQ(code(), "os.super_journal");
    // The database is found through a link, and so is its journal.
    fs::create_symlink(path(), folder_ + "/link");
    EXPECT_EQ(check_sqlite_files(folder_ + "/link").error().code, "os.super_journal");
    ASSERT_TRUE(write_file_durable(path() + "-journal", end + "no more"));
    EXPECT_EQ(code(), "");
}

}  // namespace
}  // namespace drydock::os
