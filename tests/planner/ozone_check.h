// What the checker says of the upgrade of a site: its verdict, and what breaks with its story; and
// what simulated runs of the same plan break, if any.
#pragma once

#include "checker/checker.h"
#include "planner/fixture.h"

#include <string>

namespace drydock::planner {

[[nodiscard]] std::string
checked(const Fixture& site, const char* from, const char* to, const checker::Faults& faults);

// The same of a procedure without a way back of its own: rehearsal, rebuild, restore, downgrade.
[[nodiscard]] std::string checked_as(const char* procedure,
                                     const Fixture& site,
                                     const char* from,
                                     const char* to,
                                     const checker::Faults& faults);

}  // namespace drydock::planner
