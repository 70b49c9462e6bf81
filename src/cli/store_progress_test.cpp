#include "base/json.h"
#include "cli/store_progress.h"
#include "os/files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace drydock::cli {
namespace {

TEST(StoreProgress, file_has_what_an_agent_reads) {
    const Json json = progress_json({30, 120, "blobs", 2, 7'000}, 20.0);
    EXPECT_EQ(json,
              *Json::parse(R"({"done":30,"of":120,"unit":"blobs","bytes":7000,"rate":20.0})"));
    EXPECT_EQ(progress_json({1, app::k_unknown_total, "objects"}, {}),
              *Json::parse(R"({"done":1,"unit":"objects"})"));
}

TEST(StoreProgress, line_has_the_words_of_a_step) {
    EXPECT_EQ(store_progress_words("verify", {1234, 3000, "rows", 2}, 150.0),
              "verify  1234 of 3000 rows (41 %), 150 rows/s, about 12 s left, 2 findings");
    EXPECT_EQ(store_progress_words("copy", {7, app::k_unknown_total, "objects"}, {}),
              "copy  7 objects");
}

TEST(StoreProgress, file_is_replaced_and_leaves_no_part) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("drydock-progress-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const std::string path = folder / "progress.json";
    os::RealClock clock;
    StoreProgressFile file(path, clock);
    file.write({7, 9, "rows", 0});
    file.write({8, 9, "rows", 0});  // at once: left out
    const auto text = os::read_file(path, 4096);
    ASSERT_TRUE(text);
    EXPECT_EQ((*Json::parse(*text))["done"].as_int(), 7);
    EXPECT_FALSE(os::exists(path + ".part"));
    StoreProgressFile("", clock).write({1, 1, "rows", 0});
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace drydock::cli
