// Each advice of the checker helps when it is typed: the failing twin is told it, and the passing
// twin follows it, and passes. The twins of a case differ in that alone.
#include "trial/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace drydock::trial {

// What gtest prints of a parameter.
void PrintTo(const Case& about, std::ostream* out) {
    *out << about.title;
}

namespace {

const Settings k_settings = {DRYDOCK_SOURCE_DIR "/packs", ""};

std::vector<Case> all_cases() {
    auto cases = read_cases(DRYDOCK_SOURCE_DIR "/tests/advice");
    if (!cases) {
        ADD_FAILURE() << cases.error().text();
        return {};
    }
    return std::move(*cases);
}

class Advice : public testing::TestWithParam<Case> {};

TEST_P(Advice, HelpsWhenItIsTyped) {
    EXPECT_FALSE(GetParam().says.empty());
    const auto trial = try_folder(GetParam().folder, k_settings);
    ASSERT_TRUE(trial) << trial.error().text();
    ASSERT_EQ(trial->twins.size(), 2U);
    for (const TwinResult& twin : trial->twins) {
        EXPECT_THAT(twin.differs, testing::IsEmpty()) << twin.twin << "\n" << twin.stop.told();
    }
}

INSTANTIATE_TEST_SUITE_P(
    , Advice, testing::ValuesIn(all_cases()), [](const testing::TestParamInfo<Case>& one) {
        auto name = std::filesystem::path(one.param.folder).filename().string();
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    });

TEST(AdviceCases, AreThere) {
    EXPECT_GE(all_cases().size(), 12U);
}

}  // namespace
}  // namespace drydock::trial
