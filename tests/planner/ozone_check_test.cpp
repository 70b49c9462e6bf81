// The Ozone plans hold: the checker explores them, and the way back from everywhere before SCM's
// finalize is sent.
#include "planner/ozone_check.h"
#include "planner/ozone_fixture.h"
#include "planner/way_back_nights.h"

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

TEST(OzoneCheck, TheColdCopiesArePutBack) {
    Fixture site = ozone_fixture(k_new);
    EXPECT_EQ(checked_as("restore", site, k_new, k_ozone_own, {1, 0, 1, 0, 0}), "holds");
}

// An earlier plan was aborted while writes were refused: this one ends with writes accepted.
TEST(OzoneCheck, WritesThatAreFoundRefusedDoNotStaySo) {
    Fixture site = ozone_fixture("1.4.0");
    site.set("om1", "writes", "refused");
    EXPECT_EQ(checked(site, "1.4.0", "1.4.1", {1, 0, 0, 0, 0}), "holds");
    EXPECT_EQ(site.compile("1.4.0", "1.4.1").plan->temporaries.front().value.value,
              Json("accepted"));
}

// Nights of ways back, from where the upgrade may have come to.
TEST(OzoneCheck, WaysBackGoWellAtNight) {
    const Nights nights = simulate_ways_back(ozone_fixture(k_ozone_own), k_ozone_own, k_new);
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 3);
}

}  // namespace
}  // namespace drydock::planner
