#include "planner/guide.h"

#include "checker/checker.h"
#include "cli/render.h"

#include <gtest/gtest.h>

namespace drydock::planner {

std::string guide_of(const model::Plan& plan) {
    std::string guide = cli::render_guide(plan);
    const std::string digest = plan.digest().substr(0, 8);
    return guide.replace(guide.find(digest), digest.size(), "DIGEST..");
}

std::string
guide_with_gate_tried(const Fixture& site, const std::string& from, const std::string& to) {
    const auto first = site.compile(from, to);
    EXPECT_TRUE(first.plan.has_value()) << text(first);
    if (!first.plan) {
        return "";
    }
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = downgrades_of(site, from, to);
    const auto report = checker::check(*first.plan, options);
    return guide_of(*site.compile(from, to, "upgrade", report.return_point_hint).plan);
}

void expect_in_order(const std::string& guide, const std::vector<OfficialStep>& steps) {
    std::size_t at = 0;
    for (const auto& [official, ours] : steps) {
        const std::size_t found = guide.find(ours, at);
        EXPECT_NE(found, std::string::npos) << official << ": " << ours;
        at = found == std::string::npos ? at : found;
    }
}

}  // namespace drydock::planner
