// Values by which laws are found: releases of members and of axes, formats, votes. One without a
// law would switch the law off in silence, so a plan with it is refused, and a way back has a note.
#include "planner/plan_of.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using model::EffectKind;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

model::FactSpec fact_of(const std::string& name, const std::string& role) {
    model::FactSpec fact;
    fact.name = name;
    fact.role = role;
    fact.kind = "command";
    fact.probe = Json(Json::Object{{"argv", Json(Json::Array{name})}});
    return fact;
}

// The indexes of each node are read by the release of its image.
Fixture imaged_site(const char* image) {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("image", "node"));
    site.set("m1", "image", image);
    site.set("m2", "image", "a1");
    model::AxisSpec axis;
    axis.name = "images";
    axis.fact = "image";
    for (const char* release : {"a1", "a2"}) {
        axis.releases[release]["data"].reads = {"1"};
        axis.releases[release]["data"].writes = "1";
    }
    site.pack.axes["images"] = axis;
    site.pack.stores.at("data").read_by = "images";
    return site;
}

model::StepSpec& first_step(Fixture& site) {
    return site.pack.procedures.front().phases.front().steps.front();
}

std::string problems_of(const Fixture& site) {
    return text(compile_on(site, "upgrade", "1.0", "2.0"));
}

TEST(ToldValues, a_surveyed_release_that_the_axis_has_not_is_refused) {
    EXPECT_THAT(plan_of(imaged_site("a2")).notes, Not(Contains(HasSubstr("axis"))));
    Fixture site = imaged_site("a3");
    EXPECT_THAT(problems_of(site),
                HasSubstr("m1/image is a3, which is no release of the axis images (a1, a2)"));
    site.pack.procedures.front().name = "downgrade";
    EXPECT_THAT(plan_of(site, "downgrade").notes, Contains(HasSubstr("m1/image is a3")));
}

TEST(ToldValues, a_release_of_an_axis_that_nobody_can_tell_is_noted) {
    Fixture site = imaged_site("a1");
    site.set_unknown("m1", "image");
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("m1/image cannot be told")));
    site.set("m1", "image", {});
    EXPECT_THAT(plan_of(site).notes, Contains(HasSubstr("m1/image cannot be told")));
}

TEST(ToldValues, a_step_gives_a_release_of_the_axis) {
    Fixture site = imaged_site("a1");
    const auto becomes = [&](const char* value) {
        first_step(site).effects = {
            {EffectKind::becomes, "image", value, "node", model::Reach::member}};
        return problems_of(site);
    };
    EXPECT_THAT(becomes("a2"), IsEmpty());
    EXPECT_THAT(becomes("${to}"),
                HasSubstr("roll/m1/stop: m1/image becomes 2.0, which is no release of the axis "
                          "images (a1, a2)"));
}

TEST(ToldValues, a_member_gets_one_of_the_plans_releases) {
    Fixture site = small_site("lowers", 2, "1.0");
    const auto becomes = [&](const char* value) {
        first_step(site).meanwhile = {
            {EffectKind::becomes, "running", value, "node", model::Reach::member}};
        return problems_of(site);
    };
    EXPECT_THAT(becomes("${from}"), IsEmpty());
    EXPECT_THAT(becomes("1.5"), HasSubstr("m1/running becomes 1.5, which is neither 1.0 nor 2.0"));
}

// The level is derived of what the members tell. They tell what the raise leaves.
TEST(ToldValues, what_tells_a_level_has_the_format_of_the_store) {
    Fixture site = small_site("lowers", 2, "1.0");
    site.pack.facts.push_back(fact_of("told", "node"));
    model::FactSpec level = fact_of("highest", "");
    level.kind.clear();
    level.derive = model::Derivation::highest;
    level.inputs = {"told"};
    site.pack.facts.push_back(level);
    site.pack.stores.at("data").level = "highest";
    const std::string format = site.pack.releases.at("2.0").laws.at("data").writes;
    const auto becomes = [&](const std::string& value) {
        first_step(site).effects = {
            {EffectKind::raises, "data", {}, "node", model::Reach::member},
            {EffectKind::becomes, "told", value, "node", model::Reach::member}};
        return problems_of(site);
    };
    EXPECT_THAT(becomes("${to.data}"), IsEmpty());
    EXPECT_THAT(becomes("99"),
                HasSubstr("m1/told becomes 99, which is not the format " + format
                          + " that the step brings data to"));
}

// A probe of votes that reads wrong takes the quorum away.
TEST(ToldValues, somebody_votes_when_the_plan_is_made) {
    Fixture site = small_site("lowers", 3, "1.0");
    site.pack.roles.at("node").quorum = {model::QuorumKind::majority};
    model::FactSpec votes = fact_of("votes", "node");
    votes.type = model::FactType::boolean;
    votes.standard_fact = model::StandardFact::voter;
    site.pack.facts.push_back(votes);
    for (const char* member : {"m1", "m2", "m3"}) {
        site.set(member, "votes", false);
    }
    EXPECT_THAT(problems_of(site),
                HasSubstr("nobody of role node votes: `votes` is true of none of its 3 members"));
    Fixture back = site;
    back.pack.procedures.front().name = "downgrade";
    EXPECT_THAT(plan_of(back, "downgrade").notes, Contains(HasSubstr("nobody of role node votes")));
    site.set("m2", "votes", true);
    EXPECT_THAT(problems_of(site), Not(HasSubstr("nobody of role node votes")));
    site.set_unknown("m2", "votes");
    EXPECT_THAT(problems_of(site), Not(HasSubstr("nobody of role node votes")));
}

// A site whose members tell the digest of their program.
Fixture site_with_identity() {
    Fixture site = small_site("lowers", 2, "1.0");
    model::FactSpec digest = fact_of("digest", "node");
    digest.identity = true;
    site.pack.facts.push_back(digest);
    site.set("m1", "digest", "aa");
    site.set("m2", "digest", "aa");
    return site;
}

TEST(ToldValues, an_identity_that_a_running_member_cannot_tell_is_refused) {
    Fixture site = site_with_identity();
    EXPECT_TRUE(plan_of(site).bound_facts.contains("m2/digest"));
    site.set_unknown("m2", "digest");
    EXPECT_THAT(problems_of(site), HasSubstr("m2/digest tells which cluster or program this is"));
    site.pack.procedures.front().name = "downgrade";
    EXPECT_THAT(plan_of(site, "downgrade").notes, Contains(HasSubstr("not bound to it")));
}

}  // namespace
}  // namespace drydock::planner
