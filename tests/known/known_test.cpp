// Each failing twin is stopped before the run, by the stage and under the name that its case tells;
// each passing twin passes all stages.
#include "known/stages.h"
#include "run/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace drydock::known {

// What gtest prints of a parameter.
void PrintTo(const Case& about, std::ostream* out) {
    *out << about.report;
}

namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<Case> all_cases() {
    auto cases = read_cases();
    if (!cases) {
        ADD_FAILURE() << cases.error().text();
        return {};
    }
    return std::move(*cases);
}

Stop stop_of(const Case& about, const std::string& which) {
    const auto twin = read_twin(about, which);
    if (!twin) {
        return {"files", {twin.error().code}, twin.error().text()};
    }
    return first_stop(*twin);
}

class Known : public testing::TestWithParam<Case> {};

TEST_P(Known, FailingIsStoppedBeforehand) {
    const Stop stop = stop_of(GetParam(), "failing");
    EXPECT_EQ(stop.stage, GetParam().stage) << stop.told;
    // What the checker finds can break a second property, too; everything else has one reason.
    EXPECT_THAT(stop.names, Contains(GetParam().stop)) << stop.told;
    EXPECT_TRUE(stop.stage == "check" || stop.names.size() == 1) << stop.told;
    for (const std::string& word : GetParam().says) {
        EXPECT_THAT(stop.told, HasSubstr(word));
    }
}

TEST_P(Known, PassingPasses) {
    const Stop stop = stop_of(GetParam(), "passing");
    EXPECT_EQ(stop.stage, "") << testing::PrintToString(stop.names) << "\n" << stop.told;
}

// Each story of the checker is a sequence of events that a run may record.
TEST_P(Known, StoriesObeyTheGrammar) {
    if (GetParam().stage != "check") {
        return;
    }
    const auto twin = read_twin(GetParam(), "failing");
    ASSERT_TRUE(twin);
    const auto checked = check(*twin);
    ASSERT_TRUE(checked);
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

TEST_P(Known, IsInTheTable) {
    const Case& about = GetParam();
    EXPECT_FALSE(about.says.empty());
    std::ifstream file(DRYDOCK_SOURCE_DIR "/tests/known/README.md");
    const std::string readme((std::istreambuf_iterator<char>(file)), {});
    EXPECT_THAT(readme,
                HasSubstr("| `" + about.name + "` | " + about.title + " | " + about.report + " | "
                          + about.stage + " | `" + about.stop + "` |"));
}

INSTANTIATE_TEST_SUITE_P(,
                         Known,
                         testing::ValuesIn(all_cases()),
                         [](const testing::TestParamInfo<Case>& one) {
                             std::string name = one.param.name;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(KnownCases, AreAtLeastThirtyNine) {
    EXPECT_GE(all_cases().size(), 39U);
}

}  // namespace
}  // namespace drydock::known
