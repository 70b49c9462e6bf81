#include "mover/s3/key_range.h"

#include <gtest/gtest.h>

namespace drydock::mover::s3 {
namespace {

// A cut outside of its range would lose keys or list them twice.
TEST(MiddleKey, LiesBetweenOrIsNone) {
    const std::string keys[] = {"",           "a",     "a/",     "a/b",       "a ",   "b",
                                "zz",         "~",     "~~~",    "\x7f",      "\x01", "é",
                                "éa",         "中",    "a\xff",  "a!",        "a\"",  "obj-1",
                                "obj-100000", "obj-2", "obj-2~", "\U0001F600"};
    for (const std::string& after : keys) {
        for (const std::string& until : keys) {
            if (after >= until) {
                continue;
            }
            const auto middle = middle_key(after, until);
            if (middle) {
                EXPECT_LT(after, *middle);
                EXPECT_LT(*middle, until);
            }
        }
        if (const auto middle = middle_key(after, std::nullopt)) {
            EXPECT_LT(after, *middle);
        }
    }
}

TEST(MiddleKey, HalvesAndEnds) {
    EXPECT_EQ(middle_key("a", std::string("e")), "c");
    EXPECT_GT(middle_key("a", std::string("b")).value(), "a");
    EXPECT_EQ(middle_key("", std::string(" ")), std::nullopt);
    EXPECT_EQ(middle_key("~", std::string("\x7f")).value_or("").front(), '~');
}

// The keys of most buckets begin alike; all of the rest must be found to be empty at once.
TEST(CutOf, BeginsBehindTheCommonPrefix) {
    EXPECT_EQ(cut_of("obj-000001", "obj-003000", std::nullopt), "obj-00~");
    EXPECT_EQ(cut_of("obj-000001", "obj-003000", std::string("x")), "obj-00~");
    const auto inner = cut_of("obj-000001", "obj-003000", std::string("obj-00~"));
    ASSERT_TRUE(inner);
    EXPECT_GT(*inner, "obj-003000");
    EXPECT_LT(*inner, "obj-00~");
}

// Bisection must come to an end next to any key.
TEST(CutOf, GetsNearer) {
    std::optional<std::string> until;
    const std::string last = "folder/object-0000123456";
    int cuts = 0;
    while (const auto cut = cut_of("folder/object-0000000001", last, until)) {
        ASSERT_GT(*cut, last);
        ASSERT_TRUE(!until || *cut < *until);
        until = cut;
        ASSERT_LT(++cuts, 300);
    }
    EXPECT_GT(cuts, 5);
}

}  // namespace
}  // namespace drydock::mover::s3
