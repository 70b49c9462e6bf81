// Guides as people read them, beside the official page of a system.
#pragma once

#include "planner/fixture.h"

#include <string>
#include <utility>
#include <vector>

namespace drydock::planner {

// Returns the guide of a plan; the digest of the plan is blotted out.
[[nodiscard]] std::string guide_of(const model::Plan& plan);

// Returns the guide of an upgrade whose gate stands where trying the way back finds that it closes.
// Empty, and the test fails, if the upgrade cannot be compiled.
[[nodiscard]] std::string
guide_with_gate_tried(const Fixture& site, const std::string& from, const std::string& to);

// A step of the official page, and what stands for it in the guide.
using OfficialStep = std::pair<const char*, const char*>;
// Fails the test for each step that the guide lacks, or has before the one in front of it.
void expect_in_order(const std::string& guide, const std::vector<OfficialStep>& steps);

}  // namespace drydock::planner
