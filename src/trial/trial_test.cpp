// A trial says where each twin is stopped, and what differs from case.yaml. Wrong files are told
// with their place.
#include "trial/new_pack.h"
#include "trial/trial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace drydock::trial {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A case as `pack new` writes it, in a folder of its own.
class TrialTest : public testing::Test {
protected:
    TrialTest() : folder_(fs::temp_directory_path() / fs::path("drydock-trial-XXXXXX")) {
        std::string name = folder_.string();
        folder_ = mkdtemp(name.data());
        for (const auto& [file, text] : new_case("orders")) {
            write(file, text);
        }
    }

    ~TrialTest() override { fs::remove_all(folder_); }

    void write(const std::string& file, const std::string& text) {
        fs::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << text;
    }

    [[nodiscard]] InputResult<Trial> run(const std::string& to = {}) const {
        return try_folder(folder_.string(), {"/no/packs", to});
    }

    // The problems of a trial that must not be one.
    [[nodiscard]] std::string problems() const {
        const auto trial = run();
        return trial ? "no problem" : trial.error().text();
    }

    fs::path folder_;
};

TEST_F(TrialTest, NewCaseIsAsTold) {
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    ASSERT_EQ(trial->twins.size(), 2U);
    EXPECT_EQ(trial->twins[0].stop.stage, Stage::preflight);
    EXPECT_THAT(trial->twins[0].stop.names, ElementsAre("every-server-ready"));
    EXPECT_EQ(trial->twins[1].stop.stage, Stage::none) << trial->twins[1].stop.told();
    EXPECT_THAT(trial->twins[1].warnings, IsEmpty());
    EXPECT_GT(trial->twins[1].checked.value().report.states, 100U);
    EXPECT_TRUE(trial->is_as_told());
}

TEST_F(TrialTest, TwinThatIsNotStoppedDiffers) {
    fs::remove(folder_ / "failing/facts.yaml");
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_FALSE(trial->is_as_told());
    EXPECT_THAT(trial->twins[0].differs,
                ElementsAre("is not stopped, and not by preflight (every-server-ready)"));
    EXPECT_THAT(trial->twins[1].differs, IsEmpty());
}

TEST_F(TrialTest, TwinThatDoesNotPassDiffers) {
    write("passing/facts.yaml", "s1: {service: stopped, running: null, ready: false}");
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_THAT(trial->twins[1].differs,
                ElementsAre("is stopped by preflight (every-server-ready)"));
}

TEST_F(TrialTest, WordsThatAreNotToldDiffer) {
    write("case.yaml",
          "{title: t, stopped_by: preflight, name: every-server-ready, says: [sunshine]}");
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_THAT(trial->twins[0].differs, ElementsAre(HasSubstr("\"sunshine\"")));
}

TEST_F(TrialTest, FolderWithoutTwinsIsOnePlan) {
    for (const char* name : {"failing", "passing", "case.yaml"}) {
        fs::remove_all(folder_ / name);
    }
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    ASSERT_EQ(trial->twins.size(), 1U);
    EXPECT_TRUE(trial->is_as_told());
    const auto elsewhere = run("9.0.0");
    ASSERT_TRUE(elsewhere) << elsewhere.error().text();
    EXPECT_EQ(elsewhere->twins[0].stop.stage, Stage::route);
    EXPECT_FALSE(elsewhere->is_as_told());
}

TEST_F(TrialTest, LintCanBeWhatStopsTheFailingTwin) {
    write("case.yaml", "{title: t, stopped_by: lint, name: key.unknown}");
    fs::remove(folder_ / "failing/facts.yaml");
    write("failing/releases.yaml", "store: {}");
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_EQ(trial->twins[0].stop.stage, Stage::lint);
    EXPECT_TRUE(trial->is_as_told()) << testing::PrintToString(trial->twins[0].differs);
    EXPECT_THAT(trial->twins[0].stop.told(), HasSubstr("failing/releases.yaml:1:"));
}

TEST_F(TrialTest, UnknownKeyIsToldAtItsPlace) {
    write("case.yaml", "title: t\nstoped_by: check\nstopped_by: check\nname: quorum\n");
    EXPECT_THAT(problems(),
                HasSubstr("case.yaml:2:1  unknown key `stoped_by`; did you mean `stopped_by`?"));
}

TEST_F(TrialTest, BadYamlIsToldAtItsPlace) {
    write("facts.yaml", "every: {ready: true\n");
    EXPECT_THAT(problems(), HasSubstr("facts.yaml:"));
}

TEST_F(TrialTest, UnknownFactsAndMembersAreTold) {
    write("failing/facts.yaml", "s3: {raedy: false}\ns4: {ready: false}\n");
    EXPECT_THAT(problems(), HasSubstr("failing/facts.yaml:1:6  unknown fact `raedy`"));
    EXPECT_THAT(problems(), HasSubstr("failing/facts.yaml:2:1  unknown member `s4`"));
}

TEST_F(TrialTest, ValueOfAnotherTypeIsTold) {
    write("facts.yaml", "every: {ready: \"true\"}");
    EXPECT_THAT(problems(), HasSubstr("facts.yaml:1:16  `ready` is true"));
}

TEST_F(TrialTest, ReleaseNeedsNoQuotes) {
    write("facts.yaml", "every: {service: running, installed: 1.0.0, running: 1.0.0, ready: true}");
    EXPECT_TRUE(run());
}

TEST_F(TrialTest, MissingFilesAreTold) {
    fs::remove(folder_ / "plan.yaml");
    EXPECT_THAT(problems(), HasSubstr("plan.yaml"));
    EXPECT_TRUE(run("1.1.0"));
    fs::remove(folder_ / "cluster.yaml");
    EXPECT_THAT(problems(), HasSubstr("cluster.yaml"));
    fs::remove_all(folder_ / "passing");
    EXPECT_THAT(problems(), HasSubstr("passing  there is no such folder"));
}

TEST_F(TrialTest, LastSlashOfTheFolderIsNoPartOfPlaces) {
    fs::remove(folder_ / "plan.yaml");
    const auto trial = try_folder(folder_.string() + "//", {"/no/packs", ""});
    ASSERT_FALSE(trial);
    EXPECT_THAT(trial.error().text(), HasSubstr(folder_.string() + "/plan.yaml:"));
}

TEST_F(TrialTest, FileOfAnUnknownNameIsTold) {
    write("failing/procedure/upgrade.yaml", "");
    EXPECT_THAT(problems(), HasSubstr("failing/procedure/upgrade.yaml"));
}

// What the twin's own file has is told with that file's place, also by the checker.
TEST_F(TrialTest, PlacesAreThoseOfTheTwin) {
    const auto files = new_case("orders");
    std::string text = files.at("pack/procedures/upgrade.yaml");
    const std::string wait = ", {fact: ready, is: true}]   # else";
    ASSERT_NE(text.find(wait), std::string::npos);
    text.replace(text.find(wait), wait.size(), "]   # else");
    const std::string guard =
        "        guard: [{quorum_without: this}]   # holds at the moment of the stop\n";
    ASSERT_NE(text.find(guard), std::string::npos);
    text.erase(text.find(guard), guard.size());
    fs::remove(folder_ / "failing/facts.yaml");
    write("failing/procedures/upgrade.yaml", text);
    write("case.yaml",
          "{title: t, stopped_by: check, name: quorum, says: [\"failing/procedures/\"]}");
    const auto trial = run();
    ASSERT_TRUE(trial) << trial.error().text();
    EXPECT_TRUE(trial->is_as_told()) << trial->twins[0].stop.told();
}

}  // namespace
}  // namespace drydock::trial
