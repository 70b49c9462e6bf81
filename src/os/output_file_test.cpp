// Writes land where they were meant to, also in a folder of somebody else.
#include "os/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace drydock::os {
namespace {

constexpr uid_t k_nobody = 65534;

class OutputFiles : public testing::Test {
protected:
    void SetUp() override {
        std::string name = std::filesystem::temp_directory_path() / "drydock-output.XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        std::filesystem::create_directory(path("logs"));
        ASSERT_TRUE(write_file_durable(path("precious"), "precious"));
    }

    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }

    // The error code of writing to it, or "done".
    [[nodiscard]] std::string write(const std::string& name) const {
        const auto folder = OutputFolder::of(path(name));
        const auto file = folder ? folder->open(name_of(name), O_WRONLY | O_TRUNC)
                                 : Result<Fd>(tl::unexpected(folder.error()));
        if (!file) {
            return file.error().code;
        }
        EXPECT_TRUE(write_all(file->get(), "written"));
        return "done";
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        return read_file(path(name), 100).value_or("none");
    }

    std::string folder_;
};

TEST_F(OutputFiles, AreWritten) {
    EXPECT_EQ(write("logs/a"), "done");
    EXPECT_EQ(write("logs/a"), "done");
    EXPECT_EQ(read("logs/a"), "written");
    EXPECT_EQ(write("none/a"), "os.missing");
}

TEST_F(OutputFiles, AreNoLinksAndHaveNoSecondName) {
    std::filesystem::create_symlink(path("precious"), path("logs/link"));
    std::filesystem::create_hard_link(path("precious"), path("logs/second"));
    ASSERT_EQ(::mkfifo(path("logs/pipe").c_str(), 0600), 0);
    EXPECT_EQ(write("logs/link"), "os.strange_file");
    EXPECT_EQ(write("logs/second"), "os.strange_file");
    EXPECT_NE(write("logs/pipe"), "done");
    EXPECT_EQ(read("precious"), "precious");
}

TEST_F(OutputFiles, GoThroughOwnLinksOnly) {
    std::filesystem::create_directory(path("real"));
    std::filesystem::create_directory_symlink("real", path("own"));
    EXPECT_EQ(write("own/a"), "done");
    EXPECT_EQ(read("real/a"), "written");
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs a second user";
    }
    std::filesystem::create_directory_symlink("real", path("strange"));
    ASSERT_EQ(::lchown(path("strange").c_str(), k_nobody, k_nobody), 0);
    EXPECT_EQ(write("strange/b"), "os.strange_link");
    ASSERT_EQ(::chown(path("real/a").c_str(), k_nobody, k_nobody), 0);
    EXPECT_EQ(write("real/a"), "os.strange_file");
}

// The folder is replaced by a link between the check and the end of the write.
TEST_F(OutputFiles, StayInTheFolderThatWasChecked) {
    const auto folder = OutputFolder::of(path("logs/a"));
    ASSERT_TRUE(folder);
    std::filesystem::create_directory(path("other"));
    std::filesystem::rename(path("logs"), path("moved"));
    std::filesystem::create_directory_symlink("other", path("logs"));
    ASSERT_TRUE(folder->open("part", O_WRONLY));
    ASSERT_TRUE(folder->rename("part", "a"));
    EXPECT_TRUE(exists(path("moved/a")));
    EXPECT_FALSE(exists(path("other/a")));
}

}  // namespace
}  // namespace drydock::os
