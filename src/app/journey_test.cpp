// The record of a journey, as a run's first event keeps it.
#include "app/journey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::app {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const JourneyRecord k_record = {
    "20260101-000000-abcd", {"1.0", "2.0", "3.0"}, {"2.0"}, 1, "1.0", "20260101-000000-0123"};

TEST(JourneyRecord, IsReadAsItWasWritten) {
    EXPECT_EQ(journey_from(to_json(k_record)), k_record);
}

// Keys as docs/formats/journal.md names them; hops are counted from 1 there.
TEST(JourneyRecord, HasTheDocumentedKeys) {
    const Json json = to_json(k_record);
    std::vector<std::string> keys;
    for (const auto& [key, value] : json.members()) {
        keys.push_back(key);
    }
    EXPECT_THAT(
        keys, testing::UnorderedElementsAre("id", "stops", "hop", "through", "back_to", "before"));
    EXPECT_EQ(json["hop"].as_int(), 2);
}

TEST(JourneyRecord, ARecordThatNamesNoHopIsNone) {
    for (const std::int64_t hop : {-1, 0, 3}) {
        Json json = to_json(k_record);
        json.set("hop", hop);
        EXPECT_EQ(journey_from(json), std::nullopt) << hop;
    }
    Json nameless = to_json(k_record);
    nameless.set("id", "");
    EXPECT_EQ(journey_from(nameless), std::nullopt);
    EXPECT_EQ(journey_from(Json()), std::nullopt);
}

TEST(Approvals, AreForTheFirstRunOrForTheVersionThatTheyName) {
    const std::vector<std::string> typed = {"go", "2.0:look", "3.0:look"};
    EXPECT_THAT(approvals_for(typed, "2.0"), ElementsAre("go", "look"));
    EXPECT_THAT(approvals_for({"3.0:look"}, "2.0"), IsEmpty());
}

}  // namespace

}  // namespace drydock::app
