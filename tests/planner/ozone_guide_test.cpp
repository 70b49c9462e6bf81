// The guide that people read, beside Ozone's own page "Non-rolling upgrades and downgrades": the
// same steps in the same order, and at each place where that page is wrong, what is right.
#include "cli/render.h"
#include "planner/golden.h"
#include "planner/ozone_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

std::string guide() {
    Fixture site = ozone_fixture(k_ozone_own);
    const auto compiled = site.compile(k_ozone_own, "2.2.1");
    std::string text = cli::render_guide(*compiled.plan);
    const std::string digest = compiled.plan->digest().substr(0, 8);
    return text.replace(text.find(digest), digest.size(), "DIGEST..");
}

TEST(OzoneGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-ozone.md", guide());
}

// What the official page says, in its order, and what stands for it here.
TEST(OzoneGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    const std::pair<const char*, const char*> steps[] = {
        {"1. prepare the Ozone Manager", "`ozone admin om prepare --service-id=omservice`"},
        {"2. stop all components", "**stop om1**"},
        {"2. stop all components", "**stop dn1**"},
        {"2. stop all components", "**stop scm1**"},
        {"3. replace artifacts", "**switch scm1 to 2.2.1**"},
        {"4.1 start the SCM and datanodes", "/opt/ozone/scm1/bin/ozone --daemon start scm\n"},
        {"4.1 start the SCM and datanodes", "/opt/ozone/dn1/bin/ozone --daemon start datanode\n"},
        {"4.2 start the OM with the flag",
         "/opt/ozone/om1/bin/ozone --daemon start om --upgrade\n"},
        {"4.2 or cancel", "`ozone admin om cancelprepare --service-id=omservice`"},
        {"pre-finalized, downgrade possible", "**Gate \"finalize\".**"},
        {"5. finalize SCM", "`ozone admin scm finalizeupgrade`"},
        {"6. finalize OM", "`ozone admin om finalizeupgrade --service-id=omservice`"},
        {"Recon and S3 gateway, left open", "everything serves on 2.2.1"},
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
