// Each folder is one plan that nothing stops: neither the planner nor the check refuses it, and no
// simulated run of it breaks anything.
#include "sim/simulate_seed.h"
#include "trial/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace drydock::trial {

namespace {

namespace fs = std::filesystem;

const Settings k_settings = {DRYDOCK_SOURCE_DIR "/packs", ""};

std::vector<std::string> all_folders() {
    std::vector<std::string> folders;
    for (const auto& entry : fs::directory_iterator(DRYDOCK_SOURCE_DIR "/tests/held")) {
        if (entry.is_directory()) {
            folders.push_back(entry.path().filename().string());
        }
    }
    std::sort(folders.begin(), folders.end());
    return folders;
}

class Held : public testing::TestWithParam<std::string> {};

TEST_P(Held, NothingStopsThePlanAndNoSimulatedRunBreaksAnything) {
    constexpr std::uint64_t k_runs = 200;
    const auto trial = try_folder(DRYDOCK_SOURCE_DIR "/tests/held/" + GetParam(), k_settings);
    ASSERT_TRUE(trial) << trial.error().text();
    ASSERT_THAT(trial->twins, testing::SizeIs(1));
    const TwinResult& twin = trial->twins.front();
    EXPECT_TRUE(trial->is_as_told()) << twin.stop.told();
    ASSERT_TRUE(twin.checked);
    for (std::uint64_t seed = 1; seed <= k_runs; ++seed) {
        const auto run = sim::simulate(twin.checked->plan, seed);
        ASSERT_TRUE(run) << run.error().text();
        for (const sim::Violation& found : run->violations) {
            ADD_FAILURE() << "seed " << seed << ": " << found.property << ": " << found.description;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(,
                         Held,
                         testing::ValuesIn(all_folders()),
                         [](const testing::TestParamInfo<std::string>& one) {
                             std::string name = one.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(HeldPlans, AreAtLeastTwelve) {
    EXPECT_GE(all_folders().size(), 12U);
}

}  // namespace
}  // namespace drydock::trial
