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
    const auto json = Json::parse(progress_json({30, 120, "blobs", 2}, 1500));
    ASSERT_TRUE(json);
    EXPECT_EQ((*json)["done"].as_int(), 30);
    EXPECT_EQ((*json)["of"].as_int(), 120);
    EXPECT_EQ((*json)["unit"].as_string(), "blobs");
    EXPECT_DOUBLE_EQ((*json)["rate"].as_double(), 20);
    EXPECT_FALSE(Json::parse(progress_json({1, 2, "rows", 0}, 0))->contains("rate"));
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
