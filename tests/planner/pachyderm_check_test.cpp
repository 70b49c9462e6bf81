// Pachyderm's plans hold, and the way back of a migration closes with the cut-over of writes. Each
// trap of the official guide is a change of the pack that breaks one of the rules.
#include "checker/checker.h"
#include "planner/ozone_check.h"
#include "planner/pachyderm_fixture.h"
#include "planner/way_back_nights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::HasSubstr;

constexpr const char* k_old = "1.9.12";
constexpr const char* k_new = "1.10.5";

// The action that closes the way back, as trying it from every state finds.
std::string closes(const Fixture& site, const char* from, const char* to) {
    const auto compiled = site.compile(from, to);
    if (!compiled.plan) {
        return text(compiled);
    }
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = downgrades_of(site, from, to);
    return checker::check(*compiled.plan, options).return_point;
}

Fixture changed_sides(const std::vector<std::pair<std::string, std::string>>& words) {
    Fixture site = pachyderm_sides();
    site.pack = changed_pack("packs/pachyderm", "procedures/migrate.yaml", words);
    return site;
}

TEST(PachydermMigrate, HoldsAndClosesWithTheCutOver) {
    EXPECT_EQ(checked(pachyderm_sides(), k_old, k_new, {1, 1, 1, 1, 0}), "holds");
    EXPECT_EQ(closes(pachyderm_sides(), k_old, k_new), "cutover/pach-new/entry");
}

// Before it the old installation serves with everything; behind it the answer says what is lost.
TEST(PachydermMigrate, IsTakenBackBeforeTheCutOverAndRefusedBehind) {
    Fixture site = pachyderm_sides();
    site.set("pach-old", "api_at", "30649");
    site.set("pach-old", "noted", true);
    site.set("pach-old", "paused", true);
    site.set("", "writes", "refused");
    const auto back = site.compile(k_new, k_old, "downgrade");
    ASSERT_TRUE(back.plan) << text(back);
    EXPECT_NE(back.plan->find("back/pach-old/ports"), nullptr);
    EXPECT_NE(back.plan->find("back/pach-old/pipelines"), nullptr);
    EXPECT_EQ(checked_as("downgrade", site, k_new, k_old, {1, 1, 1, 1, 1}), "holds");
    site.set("pach-new", "running", k_new);
    site.set("", "serving", "green");
    EXPECT_THAT(text(site.compile(k_new, k_old, "downgrade")),
                HasSubstr("is on green only, and going back would lose it"));
    EXPECT_TRUE(site.compile(k_new, k_old, "restore").plan);
    site.set("pach-old", "running", Json());
    EXPECT_THAT(text(site.compile(k_new, k_old, "restore")), HasSubstr("undeployed"));
}

// Repairs wait for a person, and nobody is asked where nothing is to be repaired.
TEST(PachydermMigrate, RepairsBehindGatesThatAreAskedOnlyWhereSomethingIsWrong) {
    const auto compiled = pachyderm_sides().compile(k_old, k_new);
    ASSERT_TRUE(compiled.plan) << text(compiled);
    for (const auto& [gate, repair] :
         {std::pair("restore/clean", "restore/pach-new/empty"),
          std::pair("deploy/give-back", "deploy/pach-old/binding"),
          std::pair("replay/give-back-again", "replay/pach-old/binding")}) {
        const auto* asked = compiled.plan->find(gate);
        const auto* done = compiled.plan->find(repair);
        ASSERT_TRUE(asked != nullptr && done != nullptr) << gate;
        EXPECT_FALSE(asked->applies_if.empty() || done->applies_if.empty()) << gate;
        EXPECT_EQ(asked->soak_ms, 0) << gate;
    }
    EXPECT_TRUE(compiled.plan->find("restore/pach-new/restore")->optional);
    EXPECT_EQ(compiled.plan->bound_facts.at("pach-old/bound_to").value,
              Json(Json::Array{"default"}));
}

TEST(PachydermMigrate, IsRefusedWithoutTheDumpThatIsItsCopy) {
    const Fixture site = changed_sides({{"{copies: metadata, side: source}, ", ""}});
    EXPECT_THAT(checked(site, k_old, k_new, {0, 0, 0, 0, 0}), HasSubstr("unverified-destroy"));
}

// The plan is not to end with clients refused.
TEST(PachydermMigrate, LeavesNoPortsMoved) {
    const Fixture site = changed_sides(
        {{", {fact: writes, is: accepted}]", "]"},
         {", {becomes: {fact: writes, value: accepted}}]\n        remedy: \"see your program",
          "]\n        remedy: \"see your program"}});
    EXPECT_THAT(checked(site, k_old, k_new, {0, 0, 0, 0, 0}), HasSubstr("left-behind"));
}

// Which release may go which way is told by the makers in five editions (docs/pachyderm.md).
TEST(PachydermRules, AreInPlaceOrSideBySideByTheTwoReleases) {
    const auto kind_of = [](const Fixture& site, const char* from, const char* to) {
        const auto compiled = site.compile(from, to);
        return compiled.plan ? compiled.plan->kind : text(compiled);
    };
    EXPECT_EQ(kind_of(pachyderm_server("1.9.9"), "1.9.9", "1.9.12"), "in-place");
    EXPECT_THAT(kind_of(pachyderm_server(k_old), k_old, k_new), HasSubstr("is a migration"));
    EXPECT_EQ(kind_of(pachyderm_sides(), k_old, k_new), "side-by-side");
    EXPECT_EQ(kind_of(pachyderm_server("1.11.9"), "1.11.9", "1.12.5"), "in-place");
    EXPECT_EQ(kind_of(pachyderm_chart("2.5.4"), "2.5.4", "2.10.0"), "offline");
    EXPECT_THAT(kind_of(pachyderm_server("1.12.5"), "1.12.5", "2.7.0"),
                HasSubstr("the pachyderm pack has no upgrade from 1.12.5 to 2.7.0"));
}

TEST(PachydermInPlace, APatchIsTakenBackAndASeriesIsNot) {
    EXPECT_EQ(checked(pachyderm_server("1.9.9"), "1.9.9", "1.9.12", {1, 1, 1, 1, 1}), "holds");
    EXPECT_EQ(closes(pachyderm_server("1.9.9"), "1.9.9", "1.9.12"), "");
    EXPECT_EQ(checked(pachyderm_server("1.11.9"), "1.11.9", "1.12.5", {1, 1, 1, 1, 1}), "holds");
    EXPECT_EQ(closes(pachyderm_server("1.11.9"), "1.11.9", "1.12.5"), "change/pach/deploy");
}

TEST(PachydermChart, ClosesWithHelmAndIsNotUndoneByHelmAlone) {
    EXPECT_EQ(checked(pachyderm_chart("2.5.4"), "2.5.4", "2.10.0", {1, 1, 1, 1, 1}), "holds");
    EXPECT_EQ(closes(pachyderm_chart("2.5.4"), "2.5.4", "2.10.0"), "change/pach/helm");
    Fixture site = pachyderm_chart("2.10.0");
    EXPECT_THAT(text(site.compile("2.10.0", "2.5.4", "downgrade")),
                HasSubstr("helm rollback alone never rolls back"));
    EXPECT_EQ(checked_as("restore", site, "2.10.0", "2.5.4", {1, 1, 1, 1, 1}), "holds");
}

// Nights of ways back, from where the upgrade may have come to.
TEST(PachydermMigrate, WaysBackGoWellAtNight) {
    const Nights nights = simulate_ways_back(pachyderm_sides(), k_old, k_new);
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 1);
}

// Nights of ways back, from where the upgrade may have come to.
TEST(PachydermInPlace, WaysBackGoWellAtNight) {
    const Nights nights = simulate_ways_back(pachyderm_server("1.9.9"), "1.9.9", "1.9.12");
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 1);
}

}  // namespace
}  // namespace drydock::planner
