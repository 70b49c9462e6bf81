#include "model/condition.h"
#include "model/version.h"

namespace drydock::model {
namespace {

const Roster k_members = {{"", {"m1", "m2", "m3"}}};  // conditions without a role

FactBook book(const std::map<std::string, Json>& values) {
    FactBook out;
    for (const auto& [key, value] : values) {
        out[key] = {ObservationStatus::known, value, "test", 0};
    }
    return out;
}

Truth judge(const Condition& condition,
            const FactBook& now,
            const FactBook& earlier = {},
            const std::string& self = "m1") {
    return evaluate(condition, {now, earlier, earlier, k_members, self}).outcome;
}

// A quorum guard asks for a number of ready members among the others. An unread member makes it
// "cannot tell" only if it matters.
TEST(Condition, counts_members) {
    Condition quorum = {.fact = "ready",
                        .quantifier = Quantifier::others,
                        .relation = Relation::is,
                        .operand = true,
                        .type = FactType::boolean,
                        .members_min = 1};
    EXPECT_EQ(judge(quorum, book({{"m2/ready", true}, {"m3/ready", false}})), Truth::yes);
    EXPECT_EQ(judge(quorum, book({{"m2/ready", false}, {"m3/ready", false}})), Truth::no);
    EXPECT_EQ(judge(quorum, book({{"m2/ready", false}})), Truth::cannot_tell);
    quorum.members_min = 2;
    EXPECT_EQ(judge(quorum, book({{"m2/ready", false}})), Truth::no);
}

// Members that are down are not asked. The verdict says that too few can be asked, although no
// member says no.
TEST(Condition, tells_that_too_few_are_up) {
    const Condition three = {.fact = "ready",
                             .role = "node",
                             .quantifier = Quantifier::every,
                             .relation = Relation::is,
                             .operand = true,
                             .type = FactType::boolean,
                             .members_min = 3};
    const FactBook now = book({{"m1/ready", true}, {"m2/ready", true}});
    const Roster up = {{"node", {"m1", "m2"}}};
    const Verdict verdict = evaluate(three, {now, now, now, up, ""});
    EXPECT_EQ(verdict.outcome, Truth::no);
    EXPECT_EQ(verdict.because,
              "at least 3 nodes' ready is true is expected, and only m1, m2 are up to "
              "be asked");
}

TEST(Condition, a_release_is_in_its_series_and_orders_by_number) {
    Condition level = {
        .fact = "level", .relation = Relation::is, .operand = "3.5", .type = FactType::release};
    EXPECT_EQ(judge(level, book({{"level", "3.5.0"}})), Truth::yes);
    EXPECT_EQ(judge(level, book({{"level", "3.10.0"}})), Truth::no);
    level.relation = Relation::below;
    EXPECT_EQ(judge(level, book({{"level", "3.4.23"}})), Truth::yes);
    EXPECT_EQ(judge(level, book({{"level", "3.10.0"}})), Truth::no);
}

// A member has caught up if it is not below the values of the others in the reading before. Without
// an earlier reading the answer is cannot_tell.
TEST(Condition, reaches_needs_an_earlier_reading) {
    const Condition caught_up = {.fact = "index",
                                 .quantifier = Quantifier::self,
                                 .relation = Relation::caught_up,
                                 .type = FactType::integer};
    const FactBook now = book({{"m1/index", 10}, {"m2/index", 99}, {"m3/index", 99}});
    EXPECT_EQ(judge(caught_up, now), Truth::cannot_tell);
    EXPECT_EQ(judge(caught_up, now, book({{"m2/index", 9}, {"m3/index", 10}})), Truth::yes);
    EXPECT_EQ(judge(caught_up, now, book({{"m2/index", 11}, {"m3/index", 9}})), Truth::no);
}

// A member without a value, or one that is down, may be ahead. Only a member alone in its role has
// no other to catch up with.
TEST(Condition, reaches_asks_for_somebody_to_catch_up_with) {
    const Condition caught_up = {.fact = "index",
                                 .role = "node",
                                 .quantifier = Quantifier::self,
                                 .relation = Relation::caught_up,
                                 .type = FactType::integer};
    const FactBook now = book({{"m1/index", 10}});
    const Roster alone = {{"node", {"m1"}}};
    const Roster pair = {{"node", {"m1", "m2"}}};
    const Roster other_up = {{"node", {"m2"}}};  // m1 is being handled
    const auto judged = [&](const FactBook& earlier, const Roster& up, const Roster& all) {
        return evaluate(caught_up, {now, earlier, earlier, up, "m1", &all}).outcome;
    };
    EXPECT_EQ(judged({}, alone, alone), Truth::yes);
    EXPECT_EQ(judged({}, {{"node", {}}}, alone), Truth::yes);
    EXPECT_EQ(judged({}, alone, pair), Truth::cannot_tell);  // m2 is down
    EXPECT_EQ(judged({}, other_up, pair), Truth::cannot_tell);
    EXPECT_EQ(judged(book({{"m2/index", 10}}), other_up, pair), Truth::yes);
    EXPECT_EQ(judged(book({{"m2/index", 11}}), other_up, pair), Truth::no);
}

TEST(Condition, same_names_the_two_that_differ) {
    const Condition same = {.fact = "hash",
                            .quantifier = Quantifier::every,
                            .relation = Relation::same,
                            .operand = true};
    const FactBook now = book({{"m1/hash", "a"}, {"m2/hash", "a"}, {"m3/hash", "b"}});
    const FactBook none;
    const Verdict verdict = evaluate(same, {now, none, none, k_members, ""});
    EXPECT_EQ(verdict.outcome, Truth::no);
    EXPECT_EQ(verdict.because, "m1/hash is a but m3/hash is b");
}

TEST(Condition, absent_is_an_answer_and_unknown_is_none) {
    FactBook now;
    now["level"] = {ObservationStatus::absent, {}, "refused", 0};
    const Condition gone = {.fact = "level", .relation = Relation::present, .operand = false};
    EXPECT_EQ(judge(gone, now), Truth::yes);
    now["level"].status = ObservationStatus::unknown;
    EXPECT_EQ(judge(gone, now), Truth::cannot_tell);
}

// `planned: false` asks whether somebody has changed the fact since the plan was made. What cannot
// be told is no change, and a member that was down at planning time may have any value.
TEST(Condition, as_planned_may_be_negated) {
    Condition changed = {.fact = "owner",
                         .quantifier = Quantifier::self,
                         .relation = Relation::as_planned,
                         .operand = false};
    const FactBook planned = book({{"m1/owner", "a"}});
    EXPECT_EQ(judge(changed, book({{"m1/owner", "b"}}), planned), Truth::yes);
    EXPECT_EQ(judge(changed, planned, planned), Truth::no);
    EXPECT_EQ(judge(changed, {}, planned), Truth::cannot_tell);
    EXPECT_EQ(judge(changed, planned), Truth::cannot_tell);
    FactBook down;
    down["m1/owner"] = {ObservationStatus::absent, {}, "is down", 0};
    EXPECT_EQ(judge(changed, planned, down), Truth::no);
    EXPECT_EQ(judge(changed, down, planned), Truth::yes);
    EXPECT_EQ(describe(changed), "this member's owner is not as when the plan was made");
    changed.operand = true;
    EXPECT_EQ(judge(changed, planned, planned), Truth::yes);
}

TEST(Version, ranges) {
    const auto range = VersionRange::parse(">=3.5.0 <3.5.3");
    ASSERT_TRUE(range);
    EXPECT_TRUE(range->contains("3.5.2"));
    EXPECT_FALSE(range->contains("3.5.3"));
    EXPECT_FALSE(range->contains("3.4.9"));
    EXPECT_FALSE(VersionRange::parse("~3.5"));
    EXPECT_LT(compare_versions("2.0.0-rc1", "2.0.0"), 0);
    EXPECT_GT(compare_versions("2.0.0+local", "2.0.0"), 0);
    EXPECT_LT(compare_versions("2.0.0+local", "2.0.1"), 0);
    EXPECT_LT(compare_versions("2.0.0-rc1", "2.0.0+local"), 0);
    EXPECT_FALSE(version_in_range(">=2.0 <=2.0.0", "2.0.0+local"));
}

// Systems name releases with letters before the numbers, or by dates.
TEST(Versions, of_systems_that_name_them_otherwise) {
    EXPECT_LT(compare_versions("v1.7-ose", "v1.10-ose"), 0);
    EXPECT_TRUE(version_in_series("v1.7-ose", "v1"));
    EXPECT_FALSE(version_in_series("v1.7-ose", "1"));
    EXPECT_TRUE(version_in_range(">=v1.5-ose <v2", "v1.7-ose"));
    EXPECT_LT(compare_versions("22.03.0", "22.11.1"), 0);
    EXPECT_TRUE(version_in_series("22.03.0", "22.03"));
    EXPECT_FALSE(version_in_series("22.03.0", "22.11"));
    const char* old_release = "RELEASE.2020-08-18T19-41-00Z";
    EXPECT_LT(compare_versions(old_release, "RELEASE.2020-10-03T02-19-42Z"), 0);
    EXPECT_LT(compare_versions(old_release, "RELEASE.2020-08-18T20-00-00Z"), 0);
    EXPECT_TRUE(version_in_series(old_release, "RELEASE.2020"));
    EXPECT_FALSE(version_in_series(old_release, "RELEASE.2021"));
    EXPECT_TRUE(version_in_range(">=RELEASE.2020-08-18", old_release));
    EXPECT_EQ(compare_versions(old_release, old_release), 0);
}

// Letters decide only where nothing else does, so that the order is one of all texts.
TEST(Versions, letters_alone_make_no_number) {
    EXPECT_NE(compare_versions("v1.7", "1.7"), 0);
    EXPECT_LT(compare_versions("v1.7", "1.8"), 0);
    EXPECT_FALSE(Version::parse("RELEASE."));
    EXPECT_FALSE(Version::parse("v"));
    EXPECT_FALSE(Version::parse("debian-12"));
    EXPECT_FALSE(Version::parse("v..1"));
    EXPECT_FALSE(Version::parse("1.2.x"));
    EXPECT_LT(compare_versions("unknown", "v0.1"), 0);
}

}  // namespace
}  // namespace drydock::model
