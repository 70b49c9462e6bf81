// Copies of small trees on the file system that the test runs on.
#include "mover/tree/copy.h"
#include "mover/tree/direct_copy.h"
#include "mover/tree/entry.h"
#include "mover/tree/verify.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace drydock::mover::tree {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

class Tree : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = "/tmp/drydock-tree-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        fs::create_directory(source());
    }

    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] std::string source() const { return folder_ + "/source"; }

    [[nodiscard]] std::string target() const { return folder_ + "/target"; }

    void write(const std::string& path, const std::string& bytes) const {
        fs::create_directories(fs::path(source() + "/" + path).parent_path());
        std::ofstream(source() + "/" + path, std::ios::binary) << bytes;
    }

    static std::string read(const std::string& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    [[nodiscard]] CopyRequest request() const {
        CopyRequest request;
        request.source = source();
        request.target = target();
        request.state_folder = folder_ + "/state";
        return request;
    }

    // Compares both trees by manifests of their own.
    [[nodiscard]] Compared compare() const {
        for (const char* side : {"source", "target"}) {
            ManifestRequest manifest;
            manifest.source = folder_ + "/" + side;
            manifest.output = folder_ + "/" + side + ".jsonl";
            manifest.state_folder = folder_ + "/lines";
            const auto written = write_manifest(manifest);
            EXPECT_TRUE(written) << written.error().text();
        }
        const auto compared =
            compare_manifests(folder_ + "/source.jsonl", folder_ + "/target.jsonl");
        EXPECT_TRUE(compared) << compared.error().text();
        return compared.value_or(Compared());
    }

    std::string folder_;
};

std::string told(const ProblemList& list) {
    std::string text;
    for (const Problem& problem : list.first) {
        text += problem.path + ": " + problem.message + "\n";
    }
    return text;
}

TEST_F(Tree, CopiesFilesFoldersAndLinks) {
    write("a", "one");
    write("sub/b", std::string(3U << 20U, 'x'));
    write("sub/deeper/empty", "");
    fs::create_symlink("../a", source() + "/sub/link");
    ASSERT_EQ(::mkfifo((source() + "/fifo").c_str(), 0640), 0);
    ASSERT_EQ(::link((source() + "/a").c_str(), (source() + "/sub/again").c_str()), 0);
    ASSERT_EQ(::chmod((source() + "/sub/deeper").c_str(), 0555), 0);

    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_TRUE(report->is_whole()) << told(report->failures) << told(report->refused);
    EXPECT_EQ(report->copied, 3);
    EXPECT_EQ(report->links, 1);
    EXPECT_EQ(report->specials, 1);
    EXPECT_EQ(report->names, 1);
    EXPECT_EQ(read(target() + "/a"), "one");
    EXPECT_FALSE(os::exists(target() + "/.drydock-copy"));

    const Compared compared = compare();
    EXPECT_TRUE(compared.is_equal())
        << told(compared.missing) << told(compared.extra) << told(compared.differ);
    EXPECT_EQ(compared.equal, 9);
}

TEST_F(Tree, KeepsTimesOfAllCenturies) {
    write("old", "x");
    const struct timespec times[] = {{-2'000'000'000, 5}, {13'569'465'600, 123'456'789}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (source() + "/old").c_str(), times, 0), 0);
    ASSERT_TRUE(copy_tree(request()));
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, NamesMayHaveAnyByte) {
    for (const char* name :
         {"new\nline", "\xff\xfe", "quote\"\\", "-dash", "\xc3\xa9", "e\xcc\x81"}) {
        write(name, name);
    }
    const auto report = copy_tree(request());
    ASSERT_TRUE(report);
    EXPECT_EQ(report->copied, 6);
    const Compared compared = compare();
    EXPECT_TRUE(compared.is_equal());
    EXPECT_EQ(compared.equal, 7);
}

TEST_F(Tree, PathsMayBeLongerThanThePathsOfTheKernel) {
    std::string name(200, 'd');
    int folder = ::open(source().c_str(), O_RDONLY | O_DIRECTORY);
    for (int depth = 0; depth < 60; ++depth) {
        ASSERT_EQ(::mkdirat(folder, name.c_str(), 0755), 0);
        const int deeper = ::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY);
        ::close(folder);
        folder = deeper;
    }
    ::close(::openat(folder, "bottom", O_WRONLY | O_CREAT, 0644));
    ::close(folder);
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->copied, 1);
    EXPECT_EQ(report->folders, 61);
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, HolesStayHoles) {
    write("sparse", "begin");
    ASSERT_EQ(::truncate((source() + "/sparse").c_str(), std::int64_t{1} << 40), 0);
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    struct stat found{};
    ASSERT_EQ(::stat((target() + "/sparse").c_str(), &found), 0);
    EXPECT_EQ(found.st_size, std::int64_t{1} << 40);
    EXPECT_LT(found.st_blocks, 100);
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, LargeFilesAreCopiedInChunks) {
    std::string bytes(40U << 20U, '\0');
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        bytes[at] = static_cast<char>(at * 2'654'435'761U >> 13U);
    }
    write("large", bytes);
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->bytes, std::int64_t{40} << 20);
    EXPECT_TRUE(read(target() + "/large") == bytes);
    EXPECT_TRUE(compare().is_equal());
}

// The last block is not whole, and the file has more than one chunk.
TEST_F(Tree, ColdLargeFilesGoPastTheMemory) {
    std::string bytes((70U << 20U) + 5, '\0');
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        bytes[at] = static_cast<char>(at * 2'654'435'761U >> 11U);
    }
    write("cold", bytes);
    const int file = ::open((source() + "/cold").c_str(), O_RDONLY);
    ASSERT_EQ(::fsync(file), 0);
    ASSERT_EQ(::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED), 0);
    const auto entry = read_entry(file, "");
    ASSERT_TRUE(entry);
    const int other = ::open((folder_ + "/other").c_str(), O_RDWR | O_CREAT, 0600);
    const bool is_direct = DirectCopy::open(file, other, *entry).has_value();
    ::close(other);
    ::close(file);
    if (!is_direct) {
        GTEST_SKIP() << "this file system has no direct reads, or keeps files in memory";
    }
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_TRUE(read(target() + "/cold") == bytes);
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, WhatIsThereIsReadAndNotTrusted) {
    write("same", "content");
    write("other", "content");
    fs::create_directory(target());
    fs::copy_file(source() + "/same", target() + "/same");
    std::ofstream(target() + "/other") << "CONTENT";
    for (const char* side : {"/source", "/target"}) {
        const struct timespec times[] = {{1'000'000, 0}, {1'000'000, 0}};
        ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ + side + "/other").c_str(), times, 0), 0);
    }
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->equal, 1);
    EXPECT_EQ(report->copied, 0);
    EXPECT_FALSE(report->is_whole());
    EXPECT_THAT(report->differ.first, ElementsAre(Field(&Problem::path, "other")));
    EXPECT_EQ(read(target() + "/other"), "CONTENT");

    CopyRequest replacing = request();
    replacing.replaces = true;
    ASSERT_TRUE(copy_tree(replacing));
    EXPECT_EQ(read(target() + "/other"), "content");
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, ASecondCopyFindsAllEqual) {
    write("a/b/c", "1");
    fs::create_symlink("c", source() + "/a/b/link");
    ASSERT_TRUE(copy_tree(request()));
    const auto again = copy_tree(request());
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(again->is_whole()) << told(again->failures);
    EXPECT_EQ(again->equal, 2);
    EXPECT_EQ(again->copied, 0);
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, AnotherCopyIsNotDisturbed) {
    write("a", "1");
    fs::create_directories(target() + "/.drydock-copy/of-another");
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto left = copy_tree(request());
        ASSERT_FALSE(left);
        EXPECT_EQ(left.error().code, "tree.staging");
    }

    const int held = ::open((target() + "/.drydock-copy").c_str(), O_RDONLY | O_DIRECTORY);
    ASSERT_EQ(::flock(held, LOCK_EX), 0);
    const auto busy = copy_tree(request());
    ::close(held);
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code, "tree.busy");
}

TEST_F(Tree, AnUnfinishedCopyIsNoSource) {
    write(".drydock-copy/a", "1");
    write("b", "2");
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_THAT(report->failures.first, ElementsAre(Field(&Problem::path, ".drydock-copy")));
    EXPECT_EQ(read(target() + "/b"), "2");
}

TEST_F(Tree, WhatIsLeftOutIsPartOfTheCopy) {
    write("keep", "1");
    write("skip/inner", "2");
    CopyRequest selected = request();
    selected.leaves_out = [](const std::string& path, bool /*is_folder*/) {
        return path == "skip";
    };
    selected.selection = "skip";
    const auto report = copy_tree(selected);
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->files, 1);
    EXPECT_FALSE(os::exists(target() + "/skip"));
}

TEST_F(Tree, NamesOfOneFileAreFoundAgain) {
    write("a", "1");
    fs::create_directory(source() + "/sub");
    ASSERT_EQ(::link((source() + "/a").c_str(), (source() + "/b").c_str()), 0);
    ASSERT_EQ(::link((source() + "/a").c_str(), (source() + "/sub/c").c_str()), 0);
    ASSERT_TRUE(copy_tree(request()));
    const auto again = copy_tree(request());
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_TRUE(again->is_whole()) << told(again->differ) << told(again->failures);
    EXPECT_EQ(again->equal, 3);
    EXPECT_TRUE(compare().is_equal());

    fs::remove(target() + "/b");  // one is missing
    CopyRequest replacing = request();
    replacing.replaces = true;
    ASSERT_TRUE(copy_tree(replacing));
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, NamesOutsideOfTheTreeDoNotCount) {
    write("a", "1");
    ASSERT_EQ(::link((source() + "/a").c_str(), (folder_ + "/outside").c_str()), 0);
    ASSERT_TRUE(copy_tree(request()));
    EXPECT_TRUE(compare().is_equal());
}

TEST_F(Tree, OtherLinksAreLeftAndDoNotStandInTheWay) {
    fs::create_symlink("new", source() + "/link");
    write("file", "content");
    fs::create_directory(target());
    fs::create_symlink("old", target() + "/link");
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_THAT(report->differ.first, ElementsAre(Field(&Problem::path, "link")));
    EXPECT_EQ(report->failures.count, 0);
    EXPECT_EQ(read(target() + "/file"), "content");

    CopyRequest replacing = request();  // with the same journal: the first copy is over
    replacing.replaces = true;
    const auto replaced = copy_tree(replacing);
    ASSERT_TRUE(replaced) << replaced.error().text();
    EXPECT_EQ(fs::read_symlink(target() + "/link"), "new");
    EXPECT_TRUE(compare().is_equal());
}

// An ACL as the kernel has it: the owner and user 4711 may do all, the group may read, nobody else.
constexpr char k_acl[] = "\x02\0\0\0"
                         "\x01\0\x07\0\xff\xff\xff\xff"
                         "\x02\0\x07\0\x67\x12\0\0"
                         "\x04\0\x05\0\xff\xff\xff\xff"
                         "\x10\0\x07\0\xff\xff\xff\xff"
                         "\x20\0\0\0\xff\xff\xff\xff";

TEST_F(Tree, NothingIsInheritedFromTheTarget) {
    write("sub/file", "1");
    fs::create_directory(target());
    const int set =
        ::setxattr(target().c_str(), "system.posix_acl_default", k_acl, sizeof k_acl - 1, 0);
    if (set != 0) {
        GTEST_SKIP() << "this file system has no ACLs";
    }
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_TRUE(report->is_whole()) << told(report->refused);
    const Compared compared = compare();
    EXPECT_TRUE(compared.is_equal()) << told(compared.differ);
}

TEST_F(Tree, FilesWithoutASizeAreTold) {
    CopyRequest of_kernel = request();
    of_kernel.source = "/proc/sys/kernel/random";
    const auto report = copy_tree(of_kernel);
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_FALSE(report->is_whole());
    EXPECT_GT(report->failures.count, 0);
}

TEST_F(Tree, ACopyIntoItselfIsRefused) {
    CopyRequest inside = request();
    inside.target = source() + "/inner";
    const auto report = copy_tree(inside);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, "tree.inside");
}

TEST_F(Tree, AFolderInThePlaceOfAFileIsTold) {
    write("x", "file");
    fs::create_directories(target() + "/x");
    const auto report = copy_tree(request());
    ASSERT_TRUE(report) << report.error().text();
    EXPECT_EQ(report->differ.count, 1);
    EXPECT_EQ(report->failures.count, 0);
    EXPECT_TRUE(fs::is_directory(target() + "/x"));
}

TEST_F(Tree, DifferencesAreNamed) {
    write("content", "a");
    write("mode", "a");
    write("gone", "a");
    ASSERT_TRUE(copy_tree(request()));
    std::ofstream(target() + "/content") << "b";
    ASSERT_EQ(::chmod((target() + "/mode").c_str(), 0600), 0);
    fs::remove(target() + "/gone");
    std::ofstream(target() + "/new") << "c";
    const Compared compared = compare();
    EXPECT_THAT(compared.missing.first, ElementsAre(Field(&Problem::path, "gone")));
    EXPECT_THAT(compared.extra.first, ElementsAre(Field(&Problem::path, "new")));
    EXPECT_EQ(compared.differ.count, 3);  // the root has another time, too
    EXPECT_THAT(told(compared.differ), HasSubstr("content: content"));
    EXPECT_THAT(told(compared.differ), HasSubstr("mode: mode"));
}

}  // namespace
}  // namespace drydock::mover::tree
