// The words of the pack language and the enums they stand for keep in step.
#include "model/pack.h"

#include <gtest/gtest.h>

namespace drydock::model {

TEST(PackNames, EveryVerbReadsBackAsItself) {
    EXPECT_EQ(verb_names().size(), static_cast<std::size_t>(Verb::destroy) + 1);
    for (const std::string& name : verb_names()) {
        EXPECT_EQ(name_of(*verb_from(name)), name);
    }
    EXPECT_EQ(verb_from("install"), Verb::install);
    EXPECT_FALSE(verb_from("instal"));
}

TEST(PackNames, LawsAndRepeatabilityAreSpelledAsInThePack) {
    EXPECT_EQ(name_of(Raises::when_all), "when_all");
    EXPECT_EQ(name_of(Raises::on_migrate), "on_migrate");
    EXPECT_EQ(name_of(Repeatable::probe), "probe");
}

}  // namespace drydock::model
