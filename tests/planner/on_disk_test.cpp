// Releases on the disk: lists that steps add to and remove from, and what may be put in place.
#include "planner/plan_of.h"
#include "planner/small_fixtures.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

// What the list of a member becomes by an action.
std::string list_behind(const model::Plan& plan, const std::string& action) {
    for (const model::Effect& effect : plan.find(action)->effects) {
        if (effect.name == "on_disk") {
            return std::string(name_of(effect.kind)) + " " + effect.value.dump();
        }
    }
    return {};
}

TEST(OnDisk, lists_become_what_the_steps_before_leave) {
    const auto plan = plan_of(pruned_site(), "upgrade", "1.0", "2.0");
    EXPECT_EQ(list_behind(plan, "unpack/m1/unpack"), R"(becomes ["0.9","1.0","2.0"])");
    EXPECT_EQ(list_behind(plan, "prune/m2/prune"), R"(becomes ["0.9","2.0"])");
}

// From the pack's own words to what the agent is asked.
TEST(OnDisk, is_asked_of_the_agent_as_the_pack_says) {
    const auto plan = plan_of(pruned_site());
    EXPECT_TRUE(plan.sources.at("m1/on_disk").probe["on_disk"].as_bool());
    EXPECT_TRUE(plan.sources.at("m1/installed").probe["on_disk"].is_null());
    EXPECT_TRUE(plan.sources.at("m1/on_disk").probe["versions"].contains("1.0"));
}

// A release that is not on the disk is not put in place.
TEST(OnDisk, installs_only_what_is_there) {
    Fixture site = pruned_site();
    const auto back = [&] {
        for (const char* member : {"m1", "m2"}) {
            install(site, member, "2.0");
            start(site, member, "2.0");
        }
        return plan_of(site, "downgrade", "2.0", "1.0");
    }();
    const auto& guard = back.find("back/m1/install")->preconditions;
    ASSERT_EQ(guard.size(), 1U);
    const auto judged = [&](Json::Array releases) {
        model::FactBook facts = site.facts;
        facts["m1/on_disk"] = {model::ObservationStatus::known, Json(std::move(releases)), {}, 0};
        const model::FactBook none;
        const auto roster = back.roster();
        return model::evaluate(guard.front(), {facts, none, none, roster, "m1"});
    };
    EXPECT_EQ(judged({"0.9", "1.0"}).outcome, model::Truth::yes);
    const auto refused = judged({"0.9", "2.0"});
    EXPECT_EQ(refused.outcome, model::Truth::no);
    EXPECT_EQ(refused.because, R"(m1/on_disk is ["0.9","2.0"], expected 1.0 among others)");
    EXPECT_EQ(refused.remedy, "put release 1.0 back in its folder");
}

}  // namespace
}  // namespace drydock::planner
