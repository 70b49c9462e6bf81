// The guide that people read, beside Pachyderm's own page "Migrate to a Minor or Major Version":
// the same steps in the same order, and at each place where that page is wrong, what is right.
#include "planner/golden.h"
#include "planner/guide.h"
#include "planner/pachyderm_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_old = "1.9.12";
constexpr const char* k_new = "1.10.5";

std::string guide() {
    return guide_with_gate_tried(pachyderm_sides(), k_old, k_new);
}

TEST(PachydermGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-pachyderm.md", guide());
}

// What the official page says, in its order, and what stands for it here.
TEST(PachydermGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    expect_in_order(
        guide(),
        {
            {"step 1, pause pipelines", "**stop every pipeline of pach-old that is started**"},
            {"step 1, pause loading", "**move the six node ports of pach-old's pachd away**"},
            {"step 1.1, back up",
             "**dump the metadata of pach-old without objects, and count them**"},
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
        });
}

}  // namespace
}  // namespace drydock::planner
