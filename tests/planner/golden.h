// Comparing texts, and compiled plans, with what is recorded in tests/golden.
//
// With DRYDOCK_ACCEPT=1 in the environment what is found is recorded anew; read the diff before
// committing it.
#pragma once

#include "planner/fixture.h"

#include <string>

namespace drydock::planner {

// Fails the test if tests/golden/FILE holds another text.
void expect_golden_text(const std::string& file, const std::string& got);
// The same for the outline of a plan, or its problems, and tests/golden/planner/NAME.txt.
void expect_golden(const std::string& name, const Compiled& compiled);

}  // namespace drydock::planner
