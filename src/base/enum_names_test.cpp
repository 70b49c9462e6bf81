#include "base/enum_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock {
namespace {

enum class Color { none, red, green };
constexpr EnumNames<Color, Color::green> k_colors({"", "red", "green"});

// The names are constants: a table costs nothing at run time.
static_assert(k_colors.of(Color::red) == "red");
static_assert(k_colors.parse("green") == Color::green);

TEST(EnumNames, KnowNoOtherName) {
    EXPECT_EQ(k_colors.parse("blue"), std::nullopt);
    EXPECT_EQ(k_colors.parse(""), Color::none);
}

// A schema offers neither the empty name nor values that only the program makes.
TEST(EnumNames, GiveTheChoicesOfASchema) {
    EXPECT_THAT(k_colors.choices(), testing::ElementsAre("red", "green"));
    EXPECT_THAT(k_colors.choices(Color::red), testing::ElementsAre("red"));
}

}  // namespace
}  // namespace drydock
