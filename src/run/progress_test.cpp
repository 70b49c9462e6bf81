// Tests the words for the progress of a long action.
#include "base/text.h"
#include "run/progress.h"

#include <gtest/gtest.h>

namespace drydock::run {
namespace {

Json json(const char* text) {
    return *Json::parse(text);
}

TEST(Progress, is_told_in_plain_words) {
    EXPECT_EQ(progress_text(json(R"({"done":3.2,"of":10,"unit":"GB"})")), "3.2 of 10 GB (32 %)");
    EXPECT_EQ(
        progress_text(json(R"({"done":3200000000,"of":10000000000,"rate":120e6,"unit":"bytes"})")),
        "3.2 of 10 GB (32 %), 120 MB/s, about 57 s left");
    EXPECT_EQ(progress_text(json(R"({"done":70,"of":1200,"rate":0.5,"unit":"tables"})")),
              "70 of 1200 tables (5 %), 0.5 tables/s, about 37:40 min left");
    EXPECT_EQ(
        progress_text(json(R"({"done":7,"of":9,"unit":"objects","bytes":1200000000,"rate":2})")),
        "7 of 9 objects (77 %), 1.2 GB, 2 objects/s, about 1 s left");
    EXPECT_EQ(progress_text(json(R"({"done":0})")), "0");
    EXPECT_EQ(progress_text(json(R"({"output_bytes":7})")), "");
}

// A person who is woken by it looks at these lines first.
TEST(Progress, says_what_is_waited_for_since_when_until_when_and_what_to_do) {
    const Json report = json(R"({"done":7,"unit":"rows","waits":{"for":"the server to free port 1",
                                 "since_ms":0,"until_ms":720000,"remedy":"nothing"}})");
    EXPECT_EQ(wait_lines(report),
              (std::vector<std::string>{"waits for the server to free port 1",
                                        "since " + show_time(0) + ", until " + show_time(720'000)
                                            + " at the latest",
                                        "to do: nothing"}));
    EXPECT_EQ(report_text(json(R"({"done":7,"unit":"rows","waits":{"for":"a lock"}})")),
              "7 rows; waits for a lock");
    EXPECT_EQ(report_text(json(R"({"done":7,"unit":"rows"})")), "7 rows");
    EXPECT_EQ(report_text(json("{}")), "");
}

// 100 % must not stand there while something is left, and no rate must divide by zero.
TEST(Progress, has_a_percentage_and_a_rest_where_both_are_known) {
    EXPECT_EQ(percent_of(json(R"({"done":999,"of":1000})")), 99);
    EXPECT_EQ(percent_of(json(R"({"done":1100,"of":1000})")), 100);
    EXPECT_EQ(percent_of(json(R"({"done":0,"of":0})")), 100);
    EXPECT_EQ(percent_of(json(R"({"done":5})")), std::nullopt);
    EXPECT_EQ(left_ms(json(R"({"done":10,"of":30,"rate":4})")), 5'000);
    EXPECT_EQ(left_ms(json(R"({"done":30,"of":30,"rate":4})")), 0);
    EXPECT_EQ(left_ms(json(R"({"done":31,"of":30,"rate":4})")), 0);
    EXPECT_EQ(left_ms(json(R"({"done":10,"of":30,"rate":0})")), std::nullopt);
    EXPECT_EQ(left_ms(json(R"({"done":10,"of":30,"rate":1e-300})")), std::nullopt);
    EXPECT_EQ(left_ms(json(R"({"done":10,"of":30})")), std::nullopt);
    EXPECT_EQ(progress_text(json(R"({"done":10,"of":30,"rate":0})")), "10 of 30 (33 %), 0/s");
}

// The text must not promise to go on from the position if the action has no cursor.
TEST(Progress, of_a_cancelled_action_says_from_where_it_goes_on) {
    const char* known = R"({"progress":{"done":3.2,"of":10,"rate":1,"unit":"GB"},"cursor":true})";
    EXPECT_EQ(cancelled_text(json(known)), "cancelled at 3.2 of 10 GB (32 %)");
    EXPECT_EQ(cancelled_for_resume_text(json(known)),
              "cancelled at 3.2 of 10 GB (32 %); goes on from there on resume");
    EXPECT_EQ(
        cancelled_for_resume_text(json(R"({"progress":{"done":7,"unit":"rows"},"paused":true})")),
        "paused at 7 rows; goes on from there on resume");
    EXPECT_EQ(cancelled_for_resume_text(json(R"({"paused":true})")),
              "paused; goes on from there on resume");
    EXPECT_EQ(cancelled_for_resume_text(json("{}")), "cancelled; begins anew on resume");
}

}  // namespace
}  // namespace drydock::run
