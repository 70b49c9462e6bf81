// The guide that people read, beside Ozone's own page "Non-rolling upgrades and downgrades": the
// same steps in the same order, and at each place where that page is wrong, what is right.
#include "planner/golden.h"
#include "planner/guide.h"
#include "planner/ozone_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

std::string guide() {
    return guide_of(*ozone_fixture(k_ozone_own).compile(k_ozone_own, "2.2.1").plan);
}

TEST(OzoneGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-ozone.md", guide());
}

// What the official page says, in its order, and what stands for it here.
TEST(OzoneGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    expect_in_order(
        guide(),
        {
            {"1. prepare the Ozone Manager", "`ozone admin om prepare --service-id=omservice`"},
            {"2. stop all components", "**stop om1**"},
            {"2. stop all components", "**stop dn1**"},
            {"2. stop all components", "**stop scm1**"},
            {"3. replace artifacts", "**switch scm1 to 2.2.1**"},
            {"4.1 start the SCM and datanodes", "/opt/ozone/scm1/bin/ozone --daemon start scm\n"},
            {"4.1 start the SCM and datanodes",
             "/opt/ozone/dn1/bin/ozone --daemon start datanode\n"},
            {"4.2 start the OM with the flag",
             "/opt/ozone/om1/bin/ozone --daemon start om --upgrade\n"},
            {"4.2 or cancel", "`ozone admin om cancelprepare --service-id=omservice`"},
            {"pre-finalized, downgrade possible", "**Gate \"finalize\".**"},
            {"5. finalize SCM", "`ozone admin scm finalizeupgrade`"},
            {"6. finalize OM", "`ozone admin om finalizeupgrade --service-id=omservice`"},
            {"Recon and S3 gateway, left open", "everything serves on 2.2.1"},
        });
}

}  // namespace
}  // namespace drydock::planner
