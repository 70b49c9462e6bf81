// The Ozone plans hold: the checker explores them, and the way back from everywhere before SCM's
// finalize is sent.
#include "planner/ozone_check.h"
#include "planner/ozone_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_new = "2.2.1";

TEST(OzoneCheck, AnUpgradeHoldsThoughStepsFailAndTheConductorDies) {
    EXPECT_EQ(checked(ozone_fixture(k_ozone_own), k_ozone_own, k_new, {1, 1, 1, 0, 0}), "holds");
}

TEST(OzoneCheck, AnUpgradeHoldsThoughAMemberDiesAndAHostIsLost) {
    EXPECT_EQ(checked(ozone_fixture(k_ozone_own), k_ozone_own, k_new, {0, 0, 0, 1, 1}), "holds");
}

TEST(OzoneCheck, EqualLayoutsHold) {
    EXPECT_EQ(checked(ozone_fixture("1.4.0"), "1.4.0", "1.4.1", {1, 0, 0, 0, 0}), "holds");
}

}  // namespace
}  // namespace drydock::planner
