#include "run/request.h"

#include <gtest/gtest.h>

namespace drydock::run {
namespace {

// Journals of earlier versions hold these texts, so the form is fixed.
TEST(Request, ARefusalKeepsItsForm) {
    EXPECT_EQ(refusal("gate `soak` is not open"), "refused: gate `soak` is not open");
    EXPECT_EQ(refusal_of("refused: gate `soak` is not open"), "gate `soak` is not open");
}

TEST(Request, OtherAnswersAreNoRefusals) {
    EXPECT_EQ(refusal_of("approved"), std::nullopt);
    EXPECT_EQ(refusal_of("refused"), std::nullopt);
}

}  // namespace
}  // namespace drydock::run
