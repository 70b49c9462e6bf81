// The Ozone plans hold: the checker explores them, and the way back from everywhere before SCM's
// finalize is sent.
#include "checker/checker.h"
#include "planner/ozone_site.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_new = "2.2.1";

std::string told(const checker::Report& report) {
    std::string text(checker::name_of(report.verdict));
    for (const checker::Violation& one : report.violations) {
        text +=
            std::string("\n") + std::string(checker::name_of(one.property)) + ": " + one.because;
        for (const checker::Turn& turn : one.story) {
            text += "\n  " + turn.text;
        }
    }
    return text;
}

std::string checked(const Site& site, const char* from, const char* to, checker::Faults faults) {
    const auto compiled = site.compile(from, to);
    if (!compiled.plan) {
        return text(compiled);
    }
    checker::Options options;
    options.faults = faults;
    options.back = [&](const model::FactBook& facts) -> Result<model::Plan> {
        Site then = site;
        then.facts = facts;
        auto back = then.compile(to, from, "downgrade");
        if (!back.plan) {
            return tl::unexpected(back.problems.front());
        }
        return std::move(*back.plan);
    };
    return told(checker::check(*compiled.plan, options));
}

TEST(OzoneCheck, AnUpgradeHoldsThoughAStepFails) {
    EXPECT_EQ(checked(ozone_site(k_ozone_own), k_ozone_own, k_new, {1, 0, 1, 0, 0}), "holds");
}

TEST(OzoneCheck, AnUpgradeHoldsThoughAMemberDies) {
    EXPECT_EQ(checked(ozone_site(k_ozone_own), k_ozone_own, k_new, {0, 0, 0, 1, 0}), "holds");
}

TEST(OzoneCheck, EqualLayoutsHold) {
    EXPECT_EQ(checked(ozone_site("1.4.0"), "1.4.0", "1.4.1", {1, 0, 0, 0, 0}), "holds");
}

}  // namespace
}  // namespace drydock::planner
