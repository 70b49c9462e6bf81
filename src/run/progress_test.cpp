// Tests the words for the progress of a long action.
#include "run/progress.h"

#include <gtest/gtest.h>

namespace drydock::run {
namespace {

Json json(const char* text) {
    return *Json::parse(text);
}

TEST(Progress, is_told_in_plain_words) {
    EXPECT_EQ(progress_text(json(R"({"done":3.2,"of":10,"unit":"GB"})")), "3.2 of 10 GB");
    EXPECT_EQ(
        progress_text(json(R"({"done":3200000000,"of":10000000000,"rate":120e6,"unit":"bytes"})")),
        "3.2 of 10 GB, 120 MB/s");
    EXPECT_EQ(progress_text(json(R"({"done":70,"of":1200,"rate":0.5,"unit":"tables"})")),
              "70 of 1200 tables, 0.5 tables/s");
    EXPECT_EQ(progress_text(json(R"({"done":0})")), "0");
    EXPECT_EQ(progress_text(json(R"({"output_bytes":7})")), "");
}

// The text must not promise to go on from the position if the action has no cursor.
TEST(Progress, of_a_cancelled_action_says_from_where_it_goes_on) {
    const char* known = R"({"progress":{"done":3.2,"of":10,"rate":1,"unit":"GB"},"cursor":true})";
    EXPECT_EQ(cancelled_text(json(known)), "cancelled at 3.2 of 10 GB");
    EXPECT_EQ(cancelled_for_resume_text(json(known)),
              "cancelled at 3.2 of 10 GB; goes on from there on resume");
    EXPECT_EQ(cancelled_for_resume_text(json("{}")), "cancelled; begins anew on resume");
}

}  // namespace
}  // namespace drydock::run
