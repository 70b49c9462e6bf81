// The words of the pack language and the enums they stand for keep in step.
#include "model/pack.h"

#include <gtest/gtest.h>

namespace drydock::model {

TEST(PackNames, EveryVerbReadsBackAsItself) {
    EXPECT_EQ(verb_names().size(), static_cast<std::size_t>(Verb::destroy) + 1);
    for (const std::string& name : verb_names()) {
        EXPECT_EQ(name_of(*parse_verb(name)), name);
    }
    EXPECT_EQ(parse_verb("install"), Verb::install);
    EXPECT_FALSE(parse_verb("instal"));
}

TEST(PackNames, LawsAndRepeatabilityAreSpelledAsInThePack) {
    EXPECT_EQ(name_of(FormatTrigger::when_all), "when_all");
    EXPECT_EQ(name_of(FormatTrigger::on_migrate), "on_migrate");
    EXPECT_EQ(name_of(Repeatable::probe), "probe");
}

}  // namespace drydock::model
