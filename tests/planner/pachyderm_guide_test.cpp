// The guide that people read, beside Pachyderm's own page "Migrate to a Minor or Major Version":
// the same steps in the same order, and at each place where that page is wrong, what is right.
#include "checker/checker.h"
#include "cli/render.h"
#include "planner/golden.h"
#include "planner/pachyderm_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_old = "1.9.12";
constexpr const char* k_new = "1.10.5";

// The gate stands where trying the way back finds that it closes.
std::string guide() {
    const Fixture site = pachyderm_sides();
    const auto first = site.compile(k_old, k_new);
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = downgrades_of(site, k_old, k_new);
    const auto report = checker::check(*first.plan, options);
    const auto compiled = planner::compile({site.pack,
                                            site.cluster,
                                            site.facts,
                                            "upgrade",
                                            k_old,
                                            k_new,
                                            "roll",
                                            "",
                                            "",
                                            report.return_point_hint});
    std::string text = cli::render_guide(*compiled.plan);
    const std::string digest = compiled.plan->digest().substr(0, 8);
    return text.replace(text.find(digest), digest.size(), "DIGEST..");
}

TEST(PachydermGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-pachyderm.md", guide());
}

// What the official page says, in its order, and what stands for it here.
TEST(PachydermGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    const std::pair<const char*, const char*> steps[] = {
        {"step 1, pause pipelines", "**stop every pipeline of pach-old that is started**"},
        {"step 1, pause loading", "**move the six node ports of pach-old's pachd away**"},
        {"step 1.1, back up", "**dump the metadata of pach-old without objects, and count them**"},
        {"step 1.3, clone", "**pach-new: clone s3://data to s3://data-2**"},
        {"step 2.2, ports back", "**move the six node ports of pach-old's pachd back**"},
        {"step 2.1, restart pipelines", "**pach-old: start the pipelines that were noted**"},
        {"step 3.1, namespace", "**make namespace pach-new**"},
        {"step 3.2, deploy", "**deploy 1.10.5 as pach-new**"},
        {"step 4.3, restore", "**restore the dump into pach-new**"},
        {"step 4.4, replay", "**Gate \"replay\".**"},
        {"step 4.4, loaders", "**Gate \"cut-over\".**"},
        {"step 4.4, loaders", "**pach-new: clients are given the address of green**"},
        {"step 4.6, undeploy", "**Gate \"undeploy\".**"},
        {"step 4.6, undeploy", "**undeploy pach-old, each object by its uid**"},
    };
    const std::string text = guide();
    std::size_t at = 0;
    for (const auto& [official, ours] : steps) {
        const std::size_t found = text.find(ours, at);
        EXPECT_NE(found, std::string::npos) << official << ": " << ours;
        at = found == std::string::npos ? at : found;
    }
}

}  // namespace
}  // namespace drydock::planner
