// The ways back of etcd that need a copy hold, and the plan that makes it.
#include "planner/ozone_check.h"
#include "planner/way_back_nights.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_old = "3.4.23";
constexpr const char* k_new = "3.5.16";

Fixture site_with_copy() {
    Fixture site = etcd_site(3, k_new);
    for (const char* member : {"m1", "m2", "m3"}) {
        site.set(member, "copy_digest", "abc");
    }
    return site;
}

TEST(EtcdCheck, TheUpgradeHoldsThoughMembersComeBackByThemselves) {
    EXPECT_EQ(checked(etcd_site(3, k_old), k_old, k_new, {1, 1, 1, 1, 0}), "holds");
}

TEST(EtcdCheck, ACopyIsPutBackAlsoIfItIsCutOff) {
    EXPECT_EQ(checked_as("restore", site_with_copy(), k_new, k_old, {1, 1, 1, 0, 0}), "holds");
    EXPECT_EQ(checked_as("rebuild", site_with_copy(), k_new, k_old, {1, 1, 1, 0, 0}), "holds");
}

// Between two renames a member has no data folder at all.
TEST(EtcdCheck, APutBackThatIsCutOffLeavesNothingToStartOn) {
    const auto restored = site_with_copy().compile(k_new, k_old, "restore");
    ASSERT_TRUE(restored.plan) << text(restored);
    const auto* put_back = restored.plan->find("swap/m1/restore");
    ASSERT_NE(put_back, nullptr);
    ASSERT_EQ(put_back->meanwhile.size(), 1U);
    EXPECT_EQ(put_back->meanwhile.front().name, "has_data");
    EXPECT_EQ(put_back->meanwhile.front().value, Json(false));
}

// Nights of ways back, from where the upgrade may have come to.
TEST(EtcdCheck, WaysBackGoWellAtNight) {
    const Nights nights = simulate_ways_back(etcd_site(3, k_old), k_old, k_new);
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 3);
}

}  // namespace
}  // namespace drydock::planner
