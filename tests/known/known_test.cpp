// Each failing twin is stopped before the run, by the stage and under the name that its case tells;
// each passing twin passes all stages, and no simulated run of it breaks anything. Of a case that
// nothing stops, the failing twin is told on which fact its way back hangs.
#include "run/grammar.h"
#include "sim/simulate_seed.h"
#include "trial/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

namespace drydock::trial {

// What gtest prints of a parameter.
void PrintTo(const Case& about, std::ostream* out) {
    *out << about.report;
}

namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Settings k_settings = {DRYDOCK_SOURCE_DIR "/packs", ""};

std::string name_of(const Case& about) {
    return fs::path(about.folder).filename().string();
}

std::vector<Case> all_cases() {
    auto cases = read_cases(DRYDOCK_SOURCE_DIR "/tests/known");
    if (!cases) {
        ADD_FAILURE() << cases.error().text();
        return {};
    }
    return std::move(*cases);
}

// The files of one twin's own folder.
std::vector<std::string> own_files(const Case& about, const std::string& which) {
    std::vector<std::string> files;
    const fs::path folder = fs::path(about.folder) / which;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            files.push_back(fs::relative(entry.path(), folder).string());
        }
    }
    return files;
}

// One trial for all tests of a case.
const InputResult<Trial>& trial_of(const Case& about) {
    static std::map<std::string, InputResult<Trial>> trials;
    const auto known = trials.find(about.folder);
    return known != trials.end()
               ? known->second
               : trials.emplace(about.folder, try_folder(about.folder, k_settings)).first->second;
}

class Known : public testing::TestWithParam<Case> {};

TEST_P(Known, FailingIsStoppedBeforehandAndPassingPasses) {
    const auto& trial = trial_of(GetParam());
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_THAT(trial->twins, SizeIs(2));
    EXPECT_EQ(GetParam().stage == Stage::none, GetParam().is_only_told);
    for (const TwinResult& twin : trial->twins) {
        EXPECT_THAT(twin.differs, IsEmpty()) << twin.twin << "\n" << twin.stop.told();
    }
}

// Its way back races with a level that rises within seconds. In simulated time the level wins.
constexpr const char* k_lost_race = "etcd-3105-leader-stopped-in-the-window";

// What the check holds, the simulator must not contradict.
TEST_P(Known, PassingPassesInSimulatedRuns) {
    constexpr std::uint64_t k_runs = 20;
    const auto& trial = trial_of(GetParam());
    ASSERT_TRUE(trial) << trial.error().text();
    const TwinResult& passing = trial->twins.back();
    ASSERT_TRUE(passing.checked);
    for (std::uint64_t seed = 1; seed <= k_runs; ++seed) {
        const auto run = sim::simulate(passing.checked->plan, seed);
        if (name_of(GetParam()) == k_lost_race) {
            ASSERT_FALSE(run);
            EXPECT_THAT(run.error().text(), HasSubstr("level is 3.5, expected below 3.5"));
            return;
        }
        ASSERT_TRUE(run) << run.error().text();
        for (const sim::Violation& found : run->violations) {
            ADD_FAILURE() << "seed " << seed << ": " << found.property << ": " << found.description;
        }
    }
}

// Each story of the checker is a sequence of events that a run may record.
TEST_P(Known, StoriesObeyTheGrammar) {
    const auto& trial = trial_of(GetParam());
    ASSERT_TRUE(trial) << trial.error().text();
    const auto& checked = trial->twins.front().checked;
    ASSERT_EQ(checked.has_value(), GetParam().stage == Stage::check || GetParam().is_only_told);
    if (!checked) {
        return;
    }
    const run::Program program(checked->plan);
    for (const checker::Violation& violation : checked->report.violations) {
        EXPECT_EQ(violation.events.empty(), violation.story.empty());
        const auto why = run::first_violation(program, violation.events);
        EXPECT_FALSE(why) << name_of(violation.property) << ": " << *why;
    }
}

// So that one sees the cause at a glance.
TEST_P(Known, TwinsDifferInOneFile) {
    const auto failing = own_files(GetParam(), "failing");
    EXPECT_THAT(failing, SizeIs(1));
    EXPECT_EQ(failing, own_files(GetParam(), "passing"));
}

// The table of the cases is compared by tests/tidy.
TEST_P(Known, SaysWhatTheStoryHolds) {
    EXPECT_EQ(GetParam().says.empty(), GetParam().is_only_told);
}

INSTANTIATE_TEST_SUITE_P(,
                         Known,
                         testing::ValuesIn(all_cases()),
                         [](const testing::TestParamInfo<Case>& one) {
                             std::string name = name_of(one.param);
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(KnownCases, AreAtLeastSeventy) {
    EXPECT_GE(all_cases().size(), 70U);
}

}  // namespace
}  // namespace drydock::trial
