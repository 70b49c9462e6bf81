#include "os/files.h"
#include "os/stream.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::os {
namespace {

class Files : public testing::Test {
protected:
    Files() {
        std::string name = testing::TempDir() + "drydock-files.XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }

    ~Files() override {
        std::error_code error;
        std::filesystem::remove_all(folder_, error);
    }

    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

    std::string folder_;
};

TEST_F(Files, replaces_a_file_whole_and_leaves_no_other) {
    ASSERT_TRUE(write_file_durable(path("a"), "one", 0600));
    ASSERT_TRUE(write_file_durable(path("a"), "two", 0640));
    EXPECT_EQ(read_file(path("a"), 100).value(), "two");
    struct stat facts = {};
    ::stat(path("a").c_str(), &facts);
    EXPECT_EQ(facts.st_mode & 0777U, 0640U);
    const std::filesystem::directory_iterator all(folder_);
    EXPECT_EQ(std::distance(begin(all), end(all)), 1);
}

TEST_F(Files, says_why_a_file_was_not_read) {
    EXPECT_EQ(read_file(path("none"), 10).error().code, "os.missing");
    ASSERT_TRUE(write_file_durable(path("a"), "0123456789a"));
    EXPECT_EQ(read_file(path("a"), 10).error().code, "os.too_large");
}

// A pipe may have no other end, and a device no end at all.
TEST_F(Files, waits_for_no_pipe_and_no_device) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    for (const std::string& strange : {path("pipe"), std::string("/dev/zero"), folder_}) {
        EXPECT_EQ(read_file(strange, 10).error().code, "os.not_plain");
        EXPECT_EQ(open_stream(strange).error().code, "os.not_plain");
    }
    EXPECT_EQ(FileLock::take(path("pipe"), "me").error().code, "os.not_plain");
}

TEST_F(Files, reads_a_stream_from_its_start) {
    ASSERT_TRUE(write_file_durable(path("a"), "one\ntwo\n"));
    auto stream = open_stream(path("a"));
    ASSERT_TRUE(stream);
    std::string line;
    std::getline(*stream, line);
    EXPECT_EQ(line, "one");
    EXPECT_EQ(open_stream(path("none")).error().code, "os.missing");
}

TEST_F(Files, makes_a_folder_once) {
    EXPECT_TRUE(make_folder_durable(path("f")).value());
    EXPECT_FALSE(make_folder_durable(path("f")).value());
}

TEST_F(Files, makes_private_folders_with_their_parents) {
    ASSERT_TRUE(ensure_private_folder(path("x/y/z")));
    ASSERT_TRUE(ensure_private_folder(path("x/y/z")));
    struct stat facts = {};
    ::stat(path("x/y").c_str(), &facts);
    EXPECT_EQ(facts.st_mode & 0777U, 0700U);
}

// Whoever can write to the folder, to a parent, or replace it by a symlink could forge results.
TEST_F(Files, refuses_folders_that_others_could_replace) {
    ASSERT_TRUE(ensure_private_folder(path("x/y")));
    ::chmod(path("x/y").c_str(), 0770);
    EXPECT_EQ(ensure_private_folder(path("x/y")).error().code, "os.not_private");
    ::chmod(path("x/y").c_str(), 0700);
    ::chmod(path("x").c_str(), 0777);
    const auto refused = ensure_private_folder(path("x/y"));
    EXPECT_EQ(refused.error().code, "os.not_private");
    EXPECT_FALSE(refused.error().remedy.empty());
    ::chmod(path("x").c_str(), 01777);
    EXPECT_TRUE(ensure_private_folder(path("x/y")));
    ASSERT_EQ(::symlink(path("x/y").c_str(), path("link").c_str()), 0);
    EXPECT_EQ(ensure_private_folder(path("link")).error().code, "os.not_private");
}

TEST_F(Files, tells_what_is_there) {
    EXPECT_FALSE(exists(path("link")));
    ASSERT_EQ(::symlink(path("nowhere").c_str(), path("link").c_str()), 0);
    EXPECT_TRUE(exists(path("link")));
    EXPECT_FALSE(exists(path("nowhere")));
}

TEST_F(Files, says_who_holds_a_lock) {
    auto first = std::make_optional(FileLock::take(path("lock"), "conductor 7 of ann").value());
    const auto second = FileLock::take(path("lock"), "another");
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, testing::HasSubstr("conductor 7 of ann"));
    EXPECT_TRUE(is_locked(path("lock")).value());
    first.reset();
    EXPECT_FALSE(is_locked(path("lock")).value());
    EXPECT_FALSE(is_locked(path("none")).value());
    EXPECT_TRUE(FileLock::take(path("lock"), "another"));
}

TEST(Paths, are_split) {
    EXPECT_EQ(folder_of("/a/b/c"), "/a/b");
    EXPECT_EQ(folder_of("/a/b/"), "/a");
    EXPECT_EQ(folder_of("/a"), "/");
    EXPECT_EQ(folder_of("/"), "/");
    EXPECT_EQ(folder_of("a"), ".");
    EXPECT_EQ(name_of("/a/b"), "b");
}

}  // namespace
}  // namespace drydock::os
