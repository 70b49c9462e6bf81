// The Ozone plan holds with the budgets that `drydock check` has by default.
#include "planner/ozone_check.h"
#include "planner/ozone_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

TEST(OzoneCheckFull, HoldsWithinTheDefaultBudgets) {
    EXPECT_EQ(checked(ozone_fixture(k_ozone_own), k_ozone_own, "2.2.1", {}), "holds");
}

}  // namespace
}  // namespace drydock::planner
