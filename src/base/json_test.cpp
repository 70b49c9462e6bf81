#include "base/json.h"

namespace drydock {
namespace {

// Canonical form: keys sorted, no spaces, numbers as RFC 8785 prints them, 64-bit ids exact.
// A reference into a temporary would outlive it.
static_assert(std::is_same_v<decltype(std::declval<Json>().as_string()), std::string>);
static_assert(std::is_same_v<decltype(std::declval<Json>()["a"]), Json>);
static_assert(std::is_same_v<decltype(std::declval<const Json&>()["a"]), const Json&>);

TEST(Json, dumps_canonically) {
    const auto value =
        Json::parse(R"({"b": [1, 2.5, 1e3, -0.25], "a": 17247114729954150411, "é": "\u0001\n"})");
    ASSERT_TRUE(value);
    EXPECT_EQ(value->dump(),
              "{\"a\":17247114729954150411,\"b\":[1,2.5,1000,-0.25],\"é\":\"\\u0001\\n\"}");
}

TEST(Json, refuses_duplicate_keys_and_depth_and_rubbish) {
    EXPECT_FALSE(Json::parse(R"({"a":1,"a":2})"));
    EXPECT_FALSE(Json::parse(std::string(200, '[')));
    EXPECT_FALSE(Json::parse("{} x"));
    EXPECT_FALSE(Json::parse(""));
    EXPECT_FALSE(Json::parse("\"\xff\""));
}

TEST(Json, finds_by_pointer) {
    const auto value = Json::parse(R"({"a":{"b/c":[10,20]}})");
    ASSERT_TRUE(value);
    ASSERT_NE(value->find("/a/b~1c/1"), nullptr);
    EXPECT_EQ(value->find("/a/b~1c/1")->as_int(), 20);
    EXPECT_EQ(value->find("/a/x"), nullptr);
    EXPECT_EQ(value->find("/a/b~1c/2"), nullptr);
}

// A copy that is written to leaves the original as it was, on every level.
TEST(Json, copies_share_nothing_that_is_written) {
    const auto first = *Json::parse(R"({"a":{"b":[1]},"c":2})");
    Json second = first;
    Json inner = second["a"];
    inner.set("b", Json(Json::Array{}).push(7));
    second.set("a", inner).set("d", 4);
    inner.set("e", 5);
    EXPECT_EQ(first.dump(), R"({"a":{"b":[1]},"c":2})");
    EXPECT_EQ(second.dump(), R"({"a":{"b":[7]},"c":2,"d":4})");
}

// Some code looks at a value in the same breath in which it gives it away.
TEST(Json, is_empty_or_whole_after_it_was_moved_from) {
    Json value = *Json::parse(R"({"a":1})");
    const Json taken = std::move(value);
    EXPECT_EQ(taken["a"].as_int(), 1);
    EXPECT_TRUE(value["a"].is_null());  // NOLINT(bugprone-use-after-move): that is the point
    value.set("b", 2);
    EXPECT_EQ(value.dump(), R"({"b":2})");
}

TEST(Json, keeps_many_keys_sorted) {
    Json value;
    for (int i = 0; i < 100; ++i) {
        value.set(std::to_string(i * 37 % 100), i);
    }
    value.set("5", "again");
    EXPECT_EQ(value.members().size(), 100U);
    EXPECT_EQ(value["5"].as_string(), "again");
    EXPECT_FALSE(value.contains("100"));
    EXPECT_EQ(*Json::parse(value.dump()), value);
}

// What was dumped is read back as the same value.
TEST(Json, round_trips) {
    const std::string text = R"({"a":[true,false,null,"x"],"b":{"c":-3}})";
    EXPECT_EQ(Json::parse(text)->dump(), text);
    EXPECT_EQ(*Json::parse(Json::parse(text)->pretty()), *Json::parse(text));
}

}  // namespace
}  // namespace drydock
