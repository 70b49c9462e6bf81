// Only counts prove that no end is missing, and a mistake in them must not pass.
#include "extract/counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::extract {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Inspection sample() {
    Inspection inspection;
    inspection.sha256 = "abc";
    inspection.versions[3] = 9;
    for (const OpKind kind : {OpKind::repo, OpKind::commit, OpKind::branch, OpKind::pipeline}) {
        inspection.kinds[static_cast<std::size_t>(kind)] = 2;
    }
    inspection.repos = {{"__spec__", {1, 1}}, {"images", {1, 1}}};
    inspection.jobs = {{"edges", 3}, {"more", 0}};
    return inspection;
}

Result<Counts> read(std::string_view text) {
    return read_counts(*Json::parse(text));
}

Comparison compared(std::string_view text) {
    const auto counts = read(text);
    EXPECT_TRUE(counts) << counts.error().text();
    return compare(sample(), *counts);
}

TEST(Counts, AreComplete) {
    const auto by_name = compared(R"({"repos": {"images": {"commits": 1, "branches": 1}},
                                      "jobs": {"edges": 3, "more": 0}})");
    EXPECT_EQ(by_name.verdict, Verdict::complete);
    EXPECT_EQ(compared(R"({"counts": {"repo": 2, "commit": 2, "branch": 2, "pipeline": 2,
                                      "job": 0}})")
                  .verdict,
              Verdict::complete);
    EXPECT_EQ(compared(R"({"sha256": "abc"})").verdict, Verdict::complete);
}

TEST(Counts, LeaveAPartUnproved) {
    const auto partly = compared(R"({"counts": {"commit": 2}})");
    EXPECT_EQ(partly.verdict, Verdict::unproved);
    EXPECT_THAT(partly.not_compared, ElementsAre("repo", "branch", "pipeline", "job"));
    EXPECT_EQ(compare(sample(), {}).verdict, Verdict::unproved);
    const auto no_branches = compared(R"({"repos": {"images": {"commits": 1}}, "jobs": {"edges": 3,
                                         "more": 0}})");
    EXPECT_THAT(no_branches.not_compared, ElementsAre("branch"));
}

TEST(Counts, Differ) {
    const auto comparison = compared(R"({"counts": {"commit": 3}, "sha256": "abd",
        "repos": {"images": {"commits": 2}, "gone": {}}, "jobs": {"edges": 4, "lost": 1}})");
    std::vector<std::string> names;
    for (const auto& difference : comparison.differences) {
        names.push_back(difference.name);
    }
    EXPECT_THAT(names,
                ElementsAre("sha256",
                            "commit",
                            "repos/gone",
                            "repos/images/commits",
                            "jobs/edges",
                            "jobs/lost",
                            "jobs/more"));
    EXPECT_EQ(comparison.verdict, Verdict::wrong);
    EXPECT_THAT(compared(R"({"repos": {}})").differences, testing::SizeIs(1));
}

TEST(Counts, OfADamagedFileAreWrong) {
    Inspection inspection = sample();
    inspection.damage = Damage{"extract.crc", "", "", 1, 0};
    EXPECT_EQ(compare(inspection, *read(R"({"sha256": "abc"})")).verdict, Verdict::wrong);
    inspection.damage.reset();
    inspection.finding(FindingKind::missing_parent).count = 1;
    EXPECT_EQ(compare(inspection, {}).verdict, Verdict::wrong);
}

// A list that is not whole proves nothing of its kinds.
TEST(Counts, NeedWholeLists) {
    Inspection inspection = sample();
    inspection.is_listed_whole = false;
    const auto counts = read(R"({"repos": {"images": {"commits": 1, "branches": 1}},
                                 "jobs": {"edges": 3, "more": 0}})");
    EXPECT_EQ(compare(inspection, *counts).verdict, Verdict::unproved);
}

TEST(Counts, AreReadStrictly) {
    const auto code = [](std::string_view text) { return read(text).error().code; };
    EXPECT_EQ(code(R"({"count": {"repo": 1}})"), "counts.key");
    EXPECT_EQ(code(R"({"counts": {"repos": 1}})"), "counts.key");
    EXPECT_EQ(code(R"({"repos": {"a": {"commit": 1}}})"), "counts.key");
    EXPECT_EQ(code(R"({"counts": {"repo": -1}})"), "counts.type");
    EXPECT_EQ(code(R"({"counts": {"repo": "1"}})"), "counts.type");
    EXPECT_EQ(code(R"({"repos": []})"), "counts.type");
    EXPECT_EQ(code(R"({"jobs": 1})"), "counts.type");
    EXPECT_EQ(code(R"([])"), "counts.type");
    EXPECT_EQ(code(R"({"ops": 3})"), "counts.empty");
    EXPECT_EQ(read(R"({"count": {}})").error().remedy, "did you mean `counts`?");
}

}  // namespace
}  // namespace drydock::extract
