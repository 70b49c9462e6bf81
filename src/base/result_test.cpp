#include "base/result.h"

#include <gtest/gtest.h>

namespace drydock {
namespace {

// Each level may add its place; one that is told already is not told again.
TEST(Result, a_place_is_told_once) {
    const Error inner{"x.busy", "locked", "wait"};
    const Error outer =
        inner.with_context("metadata a").with_context("metadata a").with_context("store b");
    EXPECT_EQ(outer.message, "store b: metadata a: locked");
    EXPECT_EQ(outer.text(), "store b: metadata a: locked (wait)");
}

}  // namespace
}  // namespace drydock
