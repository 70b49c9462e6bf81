#include "base/json.h"

namespace drydock {
namespace {

// Canonical form: keys sorted, no spaces, numbers as RFC 8785 prints them, 64-bit ids exact.
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

// What was dumped is read back as the same value.
TEST(Json, round_trips) {
    const std::string text = R"({"a":[true,false,null,"x"],"b":{"c":-3}})";
    EXPECT_EQ(Json::parse(text)->dump(), text);
    EXPECT_EQ(*Json::parse(Json::parse(text)->pretty()), *Json::parse(text));
}

}  // namespace
}  // namespace drydock
