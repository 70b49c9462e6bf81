// A package that moves a host: plans hold, and the guard for one member alone is seen to be too
// weak.
#include "planner/ozone_check.h"
#include "planner/small_fixtures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

TEST(ByHostCheck, holds_with_faults) {
    EXPECT_EQ(checked(packaged_site(), "1.0", "2.0", {}), "holds");
}

// The package takes both members of its host down by itself, so three of six may be down.
checker::Report checked_in_place(const std::string& guard) {
    Fixture site = packaged_site();
    site.pack = changed_pack(
        "tests/packs/packaged", "procedures/in-place.yaml", {{"{quorum_without: host}", guard}});
    site.cluster.policy.max_unavailable = 2;
    const auto compiled = site.compile("1.0", "2.0", "in-place");
    EXPECT_TRUE(compiled.plan) << text(compiled);
    return checker::check(*compiled.plan, {});
}

TEST(ByHostCheck, sees_a_guard_that_counts_members_of_the_host) {
    EXPECT_EQ(checker::name_of(checked_in_place("{quorum_without: host}").verdict), "holds");
    EXPECT_EQ(checker::name_of(checked_in_place("{quorum_without: this}").verdict), "violated");
}

}  // namespace
}  // namespace drydock::planner
