// The words of the pack language and the enums they stand for keep in step.
#include "model/pack.h"

#include <gtest/gtest.h>

namespace drydock::model {

TEST(PackNames, EveryVerbReadsBackAsItself) {
    EXPECT_EQ(k_verbs.choices().size(), static_cast<std::size_t>(Verb::destroy) + 1);
    for (const std::string& name : k_verbs.choices()) {
        EXPECT_EQ(name_of(*k_verbs.parse(name)), name);
    }
    EXPECT_EQ(k_verbs.parse("install"), Verb::install);
    EXPECT_FALSE(k_verbs.parse("instal"));
}

TEST(PackNames, LawsAndRepeatabilityAreSpelledAsInThePack) {
    EXPECT_EQ(name_of(FormatTrigger::when_all), "when_all");
    EXPECT_EQ(name_of(FormatTrigger::on_migrate), "on_migrate");
    EXPECT_EQ(name_of(Repeatable::probe), "probe");
}

}  // namespace drydock::model
