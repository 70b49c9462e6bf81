// What a plan holds of the laws of what really happens: temporary facts, half-done effects, actions
// that are alone, stores, axes.
#include "planner/plan_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using model::EffectKind;
using model::FormatTrigger;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using Names = std::vector<std::string>;

model::FactSpec fact_of(const std::string& name, model::Temporary temporary) {
    model::FactSpec fact;
    fact.name = name;
    fact.role = "node";
    fact.temporary = temporary;
    fact.kind = "command";
    fact.probe = Json(Json::Object{{"argv", Json(Json::Array{name, "${host}"})}});
    return fact;
}

model::StepSpec& first_step(Fixture& site) {
    return site.pack.procedures.front().phases.front().steps.front();
}

// The facts that a plan restores, as "m1/frozen: false (true)".
Names temporaries_of(const model::Plan& plan) {
    Names words;
    for (const model::TemporaryFact& fact : plan.temporaries) {
        words.push_back(fact.key + ": " + to_text(fact.value) + " ("
                        + std::string(name_of(fact.temporary)) + ")");
    }
    return words;
}

Fixture frozen_site() {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("frozen", model::Temporary::always));
    site.pack.facts.push_back(fact_of("port", model::Temporary::way_back));
    site.set("m1", "frozen", false);
    site.set("m2", "frozen", {});
    site.set("m1", "port", "80");
    site.set_unknown("m2", "port");
    return site;
}

TEST(PlanLaws, temporary_facts_are_kept_with_the_values_of_the_survey) {
    const auto plan = plan_of(frozen_site());
    EXPECT_THAT(temporaries_of(plan),
                ElementsAre("m1/frozen: false (true)",
                            "m1/port: 80 (way_back)",
                            "m2/frozen: nothing (true)"));
    ASSERT_TRUE(plan.sources.contains("m2/port"));
    EXPECT_EQ(plan.sources.at("m2/port").temporary, model::Temporary::way_back);
    EXPECT_EQ(plan.sources.at("m2/port").probe["argv"].items().back(), Json("here"));
    const auto sources = bind_sources(frozen_site().pack, frozen_site().cluster);
    EXPECT_TRUE(sources->contains("m1/frozen"));
    EXPECT_THAT(plan_of(small_site("lowers", 2, "1.0")).temporaries, IsEmpty());
}

// The survey may find a fact as a former plan left it, or not at all: the end restores what the
// pack says. A value `null` is no value.
TEST(PlanLaws, temporary_facts_with_a_value_at_rest_end_with_it) {
    Fixture site = frozen_site();
    site.set("m1", "frozen", true);
    site.set_unknown("m2", "frozen");
    for (model::FactSpec& fact : site.pack.facts) {
        if (fact.name == "frozen") {
            fact.at_rest = Json(false);
        } else if (fact.name == "port") {
            fact.at_rest = Json();
        }
    }
    EXPECT_THAT(temporaries_of(plan_of(site)),
                ElementsAre("m1/frozen: false (true)",
                            "m1/port: nothing (way_back)",
                            "m2/frozen: false (true)",
                            "m2/port: nothing (way_back)"));
}

// Nobody knows what to bring back: a plan that switches the fact is refused, and any other says so.
TEST(PlanLaws, a_temporary_fact_that_nobody_can_tell) {
    Fixture site = frozen_site();
    EXPECT_THAT(plan_of(site).notes,
                Contains(HasSubstr("m2/port is temporary, and nobody can tell what it is now")));
    first_step(site).effects = {{EffectKind::becomes, "port", "81", "node", model::Reach::member}};
    EXPECT_THAT(text(compile_on(site, "upgrade", "1.0", "2.0")),
                HasSubstr("the plan switches m2/port, and nobody can tell what it is now"));
    Fixture back = site;
    back.pack.procedures.front().name = "downgrade";
    EXPECT_THAT(plan_of(back, "downgrade").notes,
                Contains(HasSubstr("m2/port is temporary, and nobody can tell")));
    for (model::FactSpec& fact : site.pack.facts) {
        if (fact.name == "port") {
            fact.at_rest = Json("80");
        }
    }
    EXPECT_THAT(plan_of(site).notes, Not(Contains(HasSubstr("m2/port is temporary"))));
}

TEST(PlanLaws, an_effect_says_if_it_is_of_the_members_own_instance) {
    Fixture site = frozen_site();
    first_step(site).effects = {{.kind = EffectKind::raises, .name = "data", .own = true},
                                {.kind = EffectKind::lowers, .name = "data"}};
    const auto plan = plan_of(site);
    const auto& effects = plan.find("roll/m1/stop")->effects;
    const auto raises = std::find_if(effects.begin(), effects.end(), [](const auto& effect) {
        return effect.kind == EffectKind::raises;
    });
    ASSERT_NE(raises, effects.end());
    EXPECT_TRUE(raises->own);
    EXPECT_FALSE((raises + 1)->own);
}

// What the upgrade has switched is not as it was: the way back takes the values from before.
TEST(PlanLaws, a_fact_of_the_system_is_read_on_the_host_of_the_first_member) {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("noout", model::Temporary::always));
    site.pack.facts.back().role.clear();
    site.pack.facts.back().probe = Json(Json::Object{{"argv", Json(Json::Array{"noout"})}});
    const auto sources = bind_sources(site.pack, site.cluster);
    ASSERT_TRUE(sources) << sources.error().text();
    const model::FactSource& noout = sources->at("noout");
    EXPECT_EQ(noout.host, site.cluster.members.front().host);
    EXPECT_EQ(noout.probe["kind"], Json("command"));
    EXPECT_THAT(noout.probe["argv"].items(), ElementsAre(Json("noout")));
}

TEST(PlanLaws, a_way_back_keeps_what_the_plan_before_it_kept) {
    Fixture site = frozen_site();
    const auto forward = plan_of(site);
    site.set("m1", "frozen", true);
    site.set("m1", "port", "81");
    Request request = {
        site.pack, site.cluster, site.facts, "upgrade", "2.0", "1.0", "back", "", "run"};
    request.temporaries = &forward.temporaries;
    const auto back = compile(request);
    ASSERT_TRUE(back.plan) << text(back);
    EXPECT_EQ(temporaries_of(*back.plan), temporaries_of(forward));
    EXPECT_EQ(back.plan->bound_facts.at("m1/frozen").value, Json(true));
    std::erase_if(site.pack.facts, [](const auto& fact) { return fact.name == "frozen"; });
    EXPECT_THAT(temporaries_of(*compile(request).plan), ElementsAre("m1/port: 80 (way_back)"));
}

TEST(PlanLaws, half_done_effects_are_effects_of_the_begin) {
    Fixture site = frozen_site();
    first_step(site).meanwhile = {
        {EffectKind::becomes, "frozen", "by ${member} for ${to}", "node", model::Reach::role},
        {EffectKind::destroys, "data", {}, "node", model::Reach::member}};
    const auto plan = plan_of(site);
    Names words;
    for (const model::Effect& effect : plan.find("roll/m2/stop")->meanwhile) {
        words.push_back(std::string(name_of(effect.kind)) + " " + effect.member + "/" + effect.name
                        + " " + effect.value.as_string());
    }
    EXPECT_THAT(words,
                ElementsAre("becomes m1/frozen by m2 for 2.0",
                            "becomes m2/frozen by m2 for 2.0",
                            "destroys m2/data "));
    EXPECT_TRUE(plan.bound_facts.contains("m2/frozen"));
    EXPECT_THAT(plan.find("roll/m2/install")->meanwhile, IsEmpty());
}

// Whom a step holds down behind an install comes up on the new release with its end.
TEST(PlanLaws, a_step_that_holds_a_member_down_starts_what_is_installed) {
    for (const bool installs : {true, false}) {
        Fixture site = small_site("when-all", 2, "1.0");
        auto& procedures = site.pack.procedures;
        std::erase_if(procedures, [](const auto& one) { return one.name != "upgrade"; });
        auto& steps = procedures.front().phases.front().steps;
        std::erase_if(steps, [&](const model::StepSpec& step) {
            return step.verb != model::Verb::install || !installs;
        });
        model::StepSpec kick;
        kick.id = "kick";
        kick.verb = model::Verb::run;
        kick.meanwhile = {{EffectKind::becomes, "running", {}, "node", model::Reach::member}};
        steps.push_back(kick);
        const auto plan = plan_of(site);
        const auto& effects = plan.find("roll/m2/kick")->effects;
        if (installs) {
            ASSERT_EQ(effects.size(), 1U);
            EXPECT_EQ(effects.front().name, "running");
            EXPECT_EQ(effects.front().value, Json("2.0"));
        } else {
            EXPECT_THAT(effects, IsEmpty());
        }
        EXPECT_EQ(plan.point_of_no_return.exists, installs);
    }
}

TEST(PlanLaws, a_restore_brings_back_the_store_that_it_names) {
    Fixture site = frozen_site();
    model::StepSpec& step = first_step(site);
    const auto effects = [&] {
        Names words;
        const auto plan = plan_of(site);
        for (const model::Effect& effect : plan.find("roll/m1/stop")->effects) {
            words.push_back(std::string(name_of(effect.kind)) + " " + effect.member + "/"
                            + effect.name);
        }
        return words;
    };
    step.verb = model::Verb::restore;
    step.object = "data";
    step.effects = {{EffectKind::becomes, "frozen", false, "node", model::Reach::member}};
    EXPECT_THAT(effects(), ElementsAre("becomes m1/frozen", "restores m1/data"));
    step.effects = {{EffectKind::lowers, "data", {}, "node", model::Reach::member}};
    EXPECT_THAT(effects(), ElementsAre("lowers m1/data"));
}

// Two such stores would else share the fact without a name.
TEST(PlanLaws, a_store_without_a_level_has_no_key) {
    Fixture site = small_site("when-all", 2, "1.0");
    site.pack.stores.at("data").level.clear();
    const auto plan = plan_of(site);
    ASSERT_FALSE(plan.stores.empty() || plan.laws.empty());
    EXPECT_THAT(plan.stores.front().levels, IsEmpty());
    EXPECT_THAT(plan.laws.front().levels, IsEmpty());
}

TEST(PlanLaws, who_is_alone_is_so_on_its_stores_or_its_role) {
    Fixture site = frozen_site();
    model::StepSpec& step = first_step(site);
    const auto alone = [&] { return plan_of(site).find("roll/m1/stop")->alone; };
    EXPECT_THAT(alone(), IsEmpty());
    step.alone = true;
    EXPECT_THAT(alone(), ElementsAre("node"));
    step.effects = {{EffectKind::copies, "copied", {}, "node", model::Reach::member}};
    EXPECT_THAT(alone(), ElementsAre("node"));
    step.effects.push_back({EffectKind::raises, "data", {}, "node", model::Reach::member});
    step.meanwhile = {{EffectKind::destroys, "cache", {}, "node", model::Reach::member}};
    EXPECT_THAT(alone(), ElementsAre("cache", "data"));
}

TEST(PlanLaws, a_role_keeps_how_its_members_come_up) {
    Fixture site = small_site("lowers", 4, "1.0");
    EXPECT_TRUE(plan_of(site).roles.front().restarts);
    EXPECT_EQ(plan_of(site).roles.front().ready_with, 0);
    site.pack.roles.at("node").restarts = false;
    site.pack.roles.at("node").ready_with_majority = true;
    EXPECT_FALSE(plan_of(site).roles.front().restarts);
    EXPECT_EQ(plan_of(site).roles.front().ready_with, 3);
    site.pack.roles.at("node").ready_with_majority = false;
    site.pack.roles.at("node").ready_with = 2;
    EXPECT_EQ(plan_of(site).roles.front().ready_with, 2);
}

TEST(PlanLaws, a_store_keeps_who_opens_it_and_whether_it_was_left_clean) {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("clean", model::Temporary::no));
    site.set("m1", "clean", false);
    model::StoreSpec& store = site.pack.stores.at("data");
    store.leader_only = true;
    store.newest_last_stopped = true;
    store.clean_stop = "clean";
    const auto plan = plan_of(site);
    ASSERT_EQ(plan.stores.size(), 1U);
    EXPECT_TRUE(plan.stores.front().leader_only);
    EXPECT_TRUE(plan.stores.front().newest_last_stopped);
    EXPECT_THAT(plan.stores.front().clean_stop, ElementsAre("m1/clean", "m2/clean"));
    EXPECT_TRUE(plan.bound_facts.contains("m1/clean"));
    site.pack.releases.at("2.0").series = "1";
    EXPECT_THAT(plan_of(site).stores.front().clean_stop, IsEmpty());
}

// Neither of the plan's releases reads it: the laws are those of all images.
TEST(PlanLaws, a_store_of_an_axis_has_its_laws) {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("libc", model::Temporary::no));
    site.set("m1", "libc", "2.36");
    model::AxisSpec axis;
    axis.name = "image";
    axis.fact = "libc";
    axis.releases["2.36"]["data"].writes = "1";
    axis.releases["2.36"]["data"].reads = {"1"};
    axis.releases["2.41"]["data"].writes = "2";
    axis.releases["2.41"]["data"].trigger = FormatTrigger::on_start;
    axis.releases["2.43"]["other"].writes = "3";
    site.pack.axes["image"] = axis;
    site.pack.stores.at("data").read_by = "image";
    const auto plan = plan_of(site);
    Names releases;
    for (const auto& [release, law] : plan.stores.front().laws) {
        releases.push_back(release);
    }
    EXPECT_THAT(releases, UnorderedElementsAre("2.36", "2.41"));
    EXPECT_EQ(plan.stores.front().read_by, "libc");
    EXPECT_TRUE(plan.sources.contains("m2/libc"));
    EXPECT_TRUE(plan.bound_facts.contains("m1/libc"));
    ASSERT_EQ(plan.laws.size(), 1U);
    EXPECT_EQ(plan.laws.front().series, "2.41");
    EXPECT_FALSE(plan.laws.front().blocks_downgrade);
}

// A `run` that takes a member down is asked the same as a stop.
TEST(PlanLaws, standing_requirements_guard_whatever_moves_a_member) {
    Fixture site = frozen_site();
    model::StepSpec require;
    require.id = "calm";
    require.standing = true;
    require.preconditions = {
        {.fact = "ready", .role = "node", .quantifier = model::Quantifier::every}};
    require.preconditions.front().operand = true;
    model::StepSpec run;
    run.id = "kill";
    run.verb = model::Verb::run;
    auto& steps = site.pack.procedures.front().phases.front().steps;
    steps.insert(steps.begin(), {require, run});
    const auto guards = [&] { return plan_of(site).find("roll/m1/kill")->preconditions.size(); };
    EXPECT_EQ(guards(), 0U);
    steps[1].effects = {{EffectKind::becomes, "running", {}, "node", model::Reach::member}};
    EXPECT_EQ(guards(), 1U);
}

// One package holds the programs of two roles.
TEST(PlanLaws, an_effect_on_a_host_reaches_members_of_another_role) {
    Fixture site = frozen_site();
    site.pack.roles["agent"].name = "agent";
    model::FactSpec version = fact_of("installed", model::Temporary::no);
    version.role = "agent";
    version.standard_fact = model::StandardFact::installed;
    site.pack.facts.push_back(version);
    for (const char* name : {"a1", "a2", "far"}) {
        model::Member agent = site.cluster.members.front();
        agent.role = "agent";
        agent.name = name;
        agent.host = std::string(name) == "far" ? "there" : agent.host;
        site.cluster.members.push_back(agent);
        site.set(name, "installed", "1.0");
    }
    site.cluster.hosts["there"] = site.cluster.hosts.at("here");
    first_step(site).effects = {
        {EffectKind::becomes, "installed", "${to}", "agent", model::Reach::host}};
    const auto plan = plan_of(site);
    Names moved;
    for (const model::Effect& effect : plan.find("roll/m2/stop")->effects) {
        if (effect.name == "installed") {
            moved.push_back(effect.member + " " + effect.value.as_string());
        }
    }
    EXPECT_THAT(moved, ElementsAre("a1 2.0", "a2 2.0"));
}

}  // namespace
}  // namespace drydock::planner
