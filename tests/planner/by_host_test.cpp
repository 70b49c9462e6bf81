// Hosts as owners: phases that go host by host, steps done once on each, and the quorum without all
// members of a host.
#include "planner/plan_of.h"
#include "planner/small_fixtures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::ElementsAre;

// "a1/stop" of "roll/a1/stop".
std::vector<std::string> steps_of(const model::Plan& plan, const std::string& phase) {
    std::vector<std::string> steps;
    for (const model::Action& action : plan.actions) {
        if (action.phase == phase) {
            steps.push_back(action.id.substr(phase.size() + 1));
        }
    }
    return steps;
}

std::vector<std::string> first(std::vector<std::string> steps, std::size_t count) {
    steps.resize(std::min(steps.size(), count));
    return steps;
}

TEST(ByHost, all_steps_are_for_one_host_and_then_for_the_next) {
    const auto plan = plan_of(packaged_site());
    EXPECT_THAT(first(steps_of(plan, "roll"), 10),
                ElementsAre("a1/stop",
                            "a2/stop",
                            "a1/mend",
                            "a2/mend-seen",
                            "a1/package",
                            "a2/package-seen",
                            "a1/start",
                            "a2/start",
                            "b1/stop",
                            "b2/stop"));
    for (std::size_t i = 1; i < plan.actions.size(); ++i) {
        EXPECT_EQ(plan.actions[i].predecessors.empty(), false) << plan.actions[i].id;
    }
}

// One action moves the package of all members there.
TEST(ByHost, a_step_of_the_host_moves_all_its_members) {
    const auto plan = plan_of(packaged_site());
    std::vector<std::string> moved;
    for (const model::Effect& effect : plan.find("roll/b1/package")->effects) {
        moved.push_back(effect.member + "/" + effect.name);
    }
    EXPECT_THAT(moved, ElementsAre("b1/installed", "b2/installed"));
}

// Six members, majority four, two may be down: those of the host do not count, up or down.
TEST(ByHost, the_quorum_is_asked_without_all_members_of_the_host) {
    const auto plan = plan_of(packaged_site());
    const auto& guard = plan.find("roll/a2/stop")->preconditions.front();
    EXPECT_EQ(guard.members_min, 4);
    EXPECT_THAT(guard.excluded_members, ElementsAre("a1", "a2"));
    EXPECT_EQ(model::describe(guard),
              "at least 4 of the other nodes' ready is true (a1, a2 do not count)");
    const auto judged = [&](const std::vector<std::string>& down) {
        model::FactBook facts = packaged_site().facts;
        for (const std::string& member : down) {
            facts[member + "/ready"] = {model::ObservationStatus::known, Json(false), {}, 0};
        }
        const model::FactBook none;
        const auto roster = plan.roster();
        return model::evaluate(guard, {facts, none, none, roster, "a2"}).outcome;
    };
    EXPECT_EQ(judged({}), model::Truth::yes);
    EXPECT_EQ(judged({"a1"}), model::Truth::yes);
    EXPECT_EQ(judged({"a1", "a2"}), model::Truth::yes);
    EXPECT_EQ(judged({"b1"}), model::Truth::no);
    EXPECT_EQ(judged({"a1", "c2"}), model::Truth::no);
    const auto read = model::plan_from_json(*Json::parse(model::to_json(plan).dump()));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->digest(), plan.digest());
    EXPECT_EQ(read->find("roll/a2/stop")->preconditions.front().excluded_members,
              guard.excluded_members);
}

// A host that is half-way is gone on with before anything is stopped on another.
TEST(ByHost, a_half_configured_host_comes_first_and_is_entered_where_it_stands) {
    Fixture site = packaged_site();
    for (const char* member : {"b1", "b2"}) {
        site.set(member, "package", "half-configured");
    }
    stop(site, "b2");
    const auto plan = plan_of(site);
    EXPECT_THAT(first(steps_of(plan, "roll"), 8),
                ElementsAre("b1/stop",
                            "b2/mend",
                            "b1/mend-seen",
                            "b2/package",
                            "b1/package-seen",
                            "b2/start",
                            "b1/start",
                            "a1/stop"));
}

// What the step promises of "this" member is promised of each on the host.
TEST(ByHost, what_a_step_of_the_host_promises_is_seen_on_each_member) {
    const auto plan = plan_of(packaged_site());
    const model::Action* step = plan.find("roll/a1/package");
    const model::Action* look = plan.find("roll/a2/package-seen");
    ASSERT_TRUE(step != nullptr && look != nullptr);
    EXPECT_EQ(look->member, "a2");
    EXPECT_EQ(look->postconditions.size(), step->postconditions.size());
    EXPECT_TRUE(look->request.is_null());
    EXPECT_TRUE(look->effects.empty());
}

// A package that moved one member of a host and not the other is not behind either of them.
TEST(ByHost, a_host_step_that_is_done_for_one_member_is_done_again) {
    Fixture site = packaged_site();
    install(site, "a1", "2.0");
    start(site, "a1", "2.0");
    install(site, "a2", "2.0");  // and still runs 1.0
    const auto steps = steps_of(plan_of(site, "in-place"), "roll");
    EXPECT_THAT(first(steps, 2), ElementsAre("a1/package", "a2/package-seen"));
    Fixture whole = site;
    start(whole, "a2", "2.0");
    const auto rest = steps_of(plan_of(whole, "in-place"), "roll");
    EXPECT_THAT(rest, testing::Not(testing::Contains("a1/package")));
    EXPECT_THAT(rest, testing::Contains("b1/package"));
}

// The link of one member was moved, its neighbour's was not: the way begins before the package.
TEST(ByHost, nobody_is_behind_a_package_that_is_not_done_for_all) {
    Fixture site = packaged_site();
    install(site, "a1", "2.0");
    start(site, "a1", "2.0");
    stop(site, "a2");
    const auto steps = steps_of(plan_of(site), "roll");
    EXPECT_THAT(steps, testing::IsSupersetOf({"a1/stop", "a1/start", "a2/start"}));
    const auto at = [&](const char* step) { return std::find(steps.begin(), steps.end(), step); };
    const bool is_done = at("a1/package") != steps.end() || at("a2/package") != steps.end();
    EXPECT_TRUE(is_done);
    EXPECT_LT(at("a1/stop"), at("a1/start"));
}

TEST(ByHost, what_the_pack_wants_last_is_its_whole_host) {
    Fixture site = packaged_site();
    site.pack = changed_pack("tests/packs/packaged",
                             "procedures/upgrade.yaml",
                             {{"by: host}", "by: host, last: [{fact: ready, is: false}]}"}});
    site.set("a2", "ready", false);
    const auto steps = steps_of(plan_of(site), "roll");
    EXPECT_EQ(steps.front(), "b1/stop");
    EXPECT_EQ(steps.back(), "a2/start");
}

}  // namespace
}  // namespace drydock::planner
