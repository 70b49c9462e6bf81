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

// A role that Kubernetes runs needs neither, and the cluster file then gives neither.
TEST(PackNeeds, AServiceIsNeededByItsVerbsAndProbes) {
    Pack pack;
    pack.procedures = {{.name = "upgrade", .phases = {{.name = "all", .steps = {StepSpec{}}}}}};
    PhaseSpec& phase = pack.procedures.front().phases.front();
    StepSpec& step = phase.steps.front();
    step.verb = Verb::run;
    step.selection = Selection{.role = sided("pachd", "source")};
    EXPECT_FALSE(needs_service(pack, "pachd"));
    step.verb = Verb::stop;
    EXPECT_TRUE(needs_service(pack, "pachd"));
    EXPECT_FALSE(needs_service(pack, "etcd"));
    step.selection.reset();
    phase.selection = Selection{.role = "etcd"};
    EXPECT_TRUE(needs_service(pack, "etcd"));
    EXPECT_FALSE(needs_service(pack, "pachd"));
    pack.facts.push_back({.name = "state", .role = "pachd", .kind = "service"});
    EXPECT_TRUE(needs_service(pack, "pachd"));
}

TEST(PackNeeds, AReleaseIsNeededByItsVerbsProbesAndNames) {
    Pack pack;
    pack.procedures = {{.name = "upgrade", .phases = {{.name = "all", .steps = {StepSpec{}}}}}};
    StepSpec& step = pack.procedures.front().phases.front().steps.front();
    step.selection = Selection{.role = "pachd"};
    step.verb = Verb::stop;
    EXPECT_FALSE(needs_release(pack, "pachd"));
    step.verb = Verb::install;
    EXPECT_TRUE(needs_release(pack, "pachd"));
    step.verb = Verb::run;
    step.request.set("kind", "exec").set("argv", Json(Json::Array{Json("${release.to}/tool")}));
    EXPECT_TRUE(needs_release(pack, "pachd"));
    step.request = {};
    pack.facts.push_back({.name = "installed", .role = "pachd", .kind = "link"});
    EXPECT_TRUE(needs_release(pack, "pachd"));
}

}  // namespace drydock::model
