// Plans for the checker's tests, and reports as text.
#pragma once

#include "checker/checker.h"
#include "planner/fixture.h"

#include <string>

namespace drydock::checker {

// Fails the test if the planner refuses.
[[nodiscard]] model::Plan plan_of(const planner::Fixture& site,
                                  const std::string& from,
                                  const std::string& to,
                                  const std::string& procedure = "upgrade");
// The downgrade from `to` to `from`, compiled by the real planner. Borrows the site.
[[nodiscard]] CompileDowngrade
back_of(const planner::Fixture& site, const std::string& from, const std::string& to);
// The action with this id, to be changed.
[[nodiscard]] model::Action& action_of(model::Plan& plan, const std::string& id);
// Takes an action out; what waited for it waits for what it waited for.
void drop(model::Plan& plan, const std::string& id);

// The whole report, stories included.
[[nodiscard]] std::string text(const Report& report);
// "quorum", or "quorum twice"; "nothing" if all holds.
[[nodiscard]] std::string broken(const Report& report);

}  // namespace drydock::checker
