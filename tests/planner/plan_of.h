// Plans of a site's hop, by the run `run`.
#pragma once

#include "planner/fixture.h"

namespace drydock::planner {

[[nodiscard]] Compiled
compile_on(const Fixture& site, const char* procedure, const char* from, const char* to);

// An empty plan, and a failed test, if it cannot be made.
[[nodiscard]] model::Plan plan_of(const Fixture& site,
                                  const char* procedure = "upgrade",
                                  const char* from = "1.0",
                                  const char* to = "2.0");

}  // namespace drydock::planner
