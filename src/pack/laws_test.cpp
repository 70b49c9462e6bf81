// The words for what really happens come out of a pack as the model has them. The pack is that of
// the bad-input cases, tests/bad_input/laws.
#include "pack/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace drydock::pack {
namespace {

using testing::ElementsAre;

const std::string k_laws = DRYDOCK_SOURCE_DIR "/tests/bad_input/laws";

const model::Pack& laws() {
    static const Loaded<model::Pack> loaded = load_pack(k_laws);
    EXPECT_EQ(loaded.diagnostics.text(), "0 problems\n");
    return loaded.value.value();
}

const model::FactSpec& law_fact(const std::string& name) {
    const auto& facts = laws().facts;
    return *std::find_if(facts.begin(), facts.end(), [&](auto& one) { return one.name == name; });
}

const model::StepSpec& law_step(std::size_t phase, std::size_t index) {
    return laws().procedures.at(0).phases.at(phase).steps.at(index);
}

TEST(Laws, AQuorumIsCountedInItsWay) {
    const model::QuorumRule& within = laws().roles.at("server").quorum;
    EXPECT_EQ(within.kind, model::QuorumKind::majority);
    EXPECT_EQ(within.within, "shard");
    EXPECT_EQ(within.domains, "");
    const model::QuorumRule& domains = laws().roles.at("proxy").quorum;
    EXPECT_EQ(domains.kind, model::QuorumKind::all_but);
    EXPECT_EQ(domains.count, 1);
    EXPECT_EQ(domains.domains, "rack");
    EXPECT_EQ(laws().roles.at("worker").quorum.kind, model::QuorumKind::at_least);
    EXPECT_EQ(laws().roles.at("worker").quorum.count, 2);
}

TEST(Laws, ARoleSaysHowItsMembersComeUp) {
    EXPECT_FALSE(laws().roles.at("server").restarts);
    EXPECT_TRUE(laws().roles.at("server").ready_with_majority);
    EXPECT_EQ(laws().roles.at("server").ready_with, 0);
    EXPECT_TRUE(laws().roles.at("proxy").restarts);
    EXPECT_FALSE(laws().roles.at("proxy").ready_with_majority);
    EXPECT_EQ(laws().roles.at("proxy").ready_with, 1);
}

TEST(Laws, FactsAreTemporaryOrVotersOrLeaders) {
    EXPECT_EQ(law_fact("noout").temporary, model::Temporary::always);
    EXPECT_EQ(law_fact("compat").temporary, model::Temporary::way_back);
    EXPECT_EQ(law_fact("dirty").temporary, model::Temporary::no);
    EXPECT_EQ(law_fact("frozen").at_rest, Json("no"));
    EXPECT_FALSE(law_fact("noout").at_rest);
    EXPECT_EQ(law_fact("votes").standard_fact, model::StandardFact::voter);
    EXPECT_EQ(law_fact("leader").standard_fact, model::StandardFact::leads);
}

TEST(Laws, StoresSayWhoOpensAndReadsThem) {
    const model::StoreSpec& data = laws().stores.at("data");
    EXPECT_EQ(data.clean_stop, "clean");
    EXPECT_TRUE(data.newest_last_stopped);
    EXPECT_FALSE(data.leader_only);
    EXPECT_TRUE(laws().stores.at("names").leader_only);
    EXPECT_EQ(laws().stores.at("indexes").read_by, "libc");
}

TEST(Laws, AnAxisHasReleasesWithLaws) {
    const model::AxisSpec& axis = laws().axes.at("libc");
    EXPECT_EQ(axis.fact, "libc");
    const model::FormatSupport& law = axis.releases.at("2.40").at("indexes");
    EXPECT_THAT(law.starts_on, ElementsAre("2.36"));
    EXPECT_EQ(law.trigger, model::FormatTrigger::on_migrate);
    EXPECT_FALSE(laws().releases.at("3.5.1").laws.contains("indexes"));
}

TEST(Laws, AReleaseMayStartWhereItMayNotServe) {
    const auto& release = laws().releases.at("3.5.1");
    EXPECT_THAT(release.laws.at("data").starts_on, ElementsAre("1"));
    EXPECT_EQ(release.laws.at("data").trigger, model::FormatTrigger::when_all_running);
    EXPECT_FALSE(release.laws.at("data").alone);
    EXPECT_TRUE(release.laws.at("names").alone);
    EXPECT_EQ(laws().releases.at("3.6.0").laws.at("names").trigger, model::FormatTrigger::on_lead);
}

TEST(Laws, RoutePoliciesHaveVersionsOrANumber) {
    const auto& policies = laws().policies;
    EXPECT_EQ(policies.at(0).rule, model::RouteRule::stop_at);
    EXPECT_THAT(policies.at(0).versions, ElementsAre("3.5"));
    EXPECT_EQ(policies.at(0).source, "upgrade guide");
    EXPECT_EQ(policies.at(1).rule, model::RouteRule::at_most);
    EXPECT_EQ(policies.at(1).argument, "2");
    EXPECT_EQ(policies.at(2).rule, model::RouteRule::at_least_patch);
    EXPECT_THAT(policies.at(2).versions, ElementsAre("3.4.22"));
}

TEST(Laws, AStepSaysWhatHoldsWhileItIsDone) {
    const model::StepSpec& migrate = law_step(1, 2);
    EXPECT_TRUE(migrate.alone);
    EXPECT_EQ(migrate.meanwhile.at(0).name, "dirty");
    EXPECT_EQ(migrate.meanwhile.at(0).value, Json(true));
    EXPECT_EQ(migrate.meanwhile.at(1).kind, model::EffectKind::destroys);
    EXPECT_TRUE(migrate.effects.at(0).own);
    EXPECT_EQ(migrate.effects.at(1).kind, model::EffectKind::restores);
    EXPECT_FALSE(migrate.effects.at(1).own);
    EXPECT_EQ(migrate.effects.at(1).name, "indexes");
    EXPECT_FALSE(law_step(1, 0).alone);
}

TEST(Laws, AStepTakesTheKeysOfItsRoleThatItHasNot) {
    EXPECT_EQ(law_step(1, 0).timeout_ms, 30'000);
    EXPECT_TRUE(law_step(1, 0).quorum_without == model::Reach::member);
    EXPECT_EQ(law_step(1, 0).postconditions.at(0).fact, "running");
    EXPECT_EQ(law_step(1, 3).timeout_ms, 300'000);
    EXPECT_EQ(law_step(1, 3).postconditions.size(), 2U);
    EXPECT_EQ(law_step(1, 1).postconditions.size(), 0U);
}

void replace_in(std::string& text, const std::string& before, const std::string& after) {
    ASSERT_NE(text.find(before), std::string::npos);
    text.replace(text.find(before), before.size(), after);
}

// A series of one release.
const std::string k_series_3_10 = "  \"3.10\":\n"
                                  "    data: {reads: [\"3\"], writes: \"3\"}\n"
                                  "    names: {reads: [\"1\", \"2\"], writes: \"2\"}\n"
                                  "releases:\n"
                                  "  \"3.10\": {series: \"3.10\"}\n";

// Reads the pack with one text of its procedures replaced, and other releases if they are given.
Loaded<model::Pack> changed(const std::string& before,
                            const std::string& after,
                            const std::string& releases = "releases:\n") {
    std::map<std::string, std::string> files;
    for (const char* name : {"pack.yaml", "releases.yaml", "procedures/upgrade.yaml"}) {
        std::ifstream file(k_laws + "/" + name);
        files[name] = {std::istreambuf_iterator<char>(file), {}};
    }
    replace_in(files["procedures/upgrade.yaml"], before, after);
    replace_in(files["releases.yaml"], "\nreleases:\n", "\n" + releases);
    return read_pack("laws", files);
}

TEST(Laws, AnEmptyListTakesADefaultAway) {
    const auto loaded = changed("- stop: server", "- {stop: server, then: []}");
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    const auto& stop = loaded.value->procedures.at(0).phases.at(1).steps.at(0);
    EXPECT_EQ(stop.postconditions.size(), 0U);
    EXPECT_EQ(stop.timeout_ms, 30'000);
}

TEST(Laws, KeysThatNoStepTakesAreWarnedOf) {
    const auto loaded = changed("      - stop: server\n", "");
    EXPECT_EQ(loaded.diagnostics.text(),
              "laws/pack.yaml:10:7  warning: no step `stop` is for members of `server`; remove it, "
              "or give the keys to the steps that are meant\n1 problem\n");
}

TEST(Laws, AnEffectMayMakeAFactAbsent) {
    const auto loaded =
        changed("{fact: running, value: \"${to}\"}", "{fact: running, value: null}");
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    const auto& run = loaded.value->procedures.at(0).phases.at(2).steps.at(0);
    EXPECT_TRUE(run.effects.at(0).value.is_null());
}

TEST(Laws, AReleaseThatBecomesKeepsItsSpelling) {
    const auto loaded =
        changed("{fact: running, value: \"${to}\"}", "{fact: running, value: 3.10}", k_series_3_10);
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    const auto& run = loaded.value->procedures.at(0).phases.at(2).steps.at(0);
    EXPECT_EQ(run.effects.at(0).value, Json("3.10"));
}

const std::string k_stop_all = "- phase: stop\n    steps: [{stop: server, guard: []}";

TEST(Laws, AnyOfStoppedMembersIsWarnedOf) {
    const auto stopped = changed("- phase: restart",
                                 k_stop_all
                                     + ", {wait: x, all: {fact: leader, of: any, is: true}}]\n"
                                       "  - phase: restart");
    EXPECT_THAT(stopped.diagnostics.text(),
                testing::HasSubstr("warning: `of: any` of `leader` asks members of `server`"));
    EXPECT_TRUE(stopped.value);
}

TEST(Laws, AnyOfStartedMembersIsNot) {
    const auto started = changed("- phase: restart", k_stop_all + "]\n  - phase: restart");
    EXPECT_EQ(started.diagnostics.text(), "0 problems\n");
}

TEST(Laws, ARestoreOfWhatNobodyCopiesIsWarnedOf) {
    const auto loaded = changed("{copies: indexes}", "{becomes: {fact: noout, value: true}}");
    EXPECT_EQ(loaded.diagnostics.text(), "0 problems\n") << "the verb `backup` copies";
    const auto bare = changed("- backup: indexes", "- run: look at them");
    EXPECT_EQ(bare.diagnostics.text(), "0 problems\n") << "the effect `copies` does";
    const auto none = changed("- backup: indexes\n"
                              "        on: {one_of: server}\n"
                              "        do: {command: {argv: [dump, indexes]}}\n"
                              "        effect: [{copies: indexes}]",
                              "- gate: go");
    EXPECT_THAT(none.diagnostics.text(),
                testing::HasSubstr("warning: no step has `copies: indexes`: there is nothing to "
                                   "restore; write `raises: indexes` if it is made anew"));
    EXPECT_TRUE(none.value);
    const auto verb = changed("- backup: indexes\n"
                              "        on: {one_of: server}\n"
                              "        do: {command: {argv: [dump, indexes]}}\n"
                              "        effect: [{copies: indexes}]",
                              "- restore: indexes\n"
                              "        on: {one_of: server}\n"
                              "        do: {command: {argv: [load, indexes]}}");
    const std::string text = verb.diagnostics.text();
    EXPECT_NE(text.find("there is nothing to restore"), text.rfind("there is nothing to restore"))
        << "the verb is warned of, and the effect: " << text;
}

// The guard of a step on servers counts no workers, and one on workers none of the servers.
TEST(Laws, AGuardThatCountsNobodyOfAnotherRoleIsWarnedOf) {
    const auto restart = [](const std::string& fact) {
        return changed("effect: [{becomes: {fact: running, value: \"${to}\"}}",
                       "guard: [{quorum_without: this}]\n        effect: [" + fact
                           + ", {becomes: {fact: running, value: \"${to}\"}}");
    };
    const auto other = restart("{becomes: {fact: running, role: worker, value: null}}");
    EXPECT_THAT(other.diagnostics.text(),
                testing::HasSubstr("warning: the step takes down a worker, and its guard "
                                   "`quorum_without` counts members of `server` only"));
    EXPECT_TRUE(other.value);
    EXPECT_EQ(restart("{becomes: {fact: noout, value: false}}").diagnostics.text(), "0 problems\n");
}

// Every line of an example stands in this pack, or in a known failure that is tried, so that the
// examples are known to be good.
TEST(Laws, TheExamplesOfThePageAreOfPacks) {
    const std::string known =
        DRYDOCK_SOURCE_DIR "/tests/known/qubes-issues-8316-policy-rc-d-left-there/";
    std::string lines;
    for (const std::string& path : {k_laws + "/pack.yaml",
                                    k_laws + "/releases.yaml",
                                    k_laws + "/procedures/upgrade.yaml",
                                    known + "pack/pack.yaml",
                                    known + "passing/procedures/upgrade.yaml"}) {
        std::ifstream file(path);
        lines += "\n" + std::string(std::istreambuf_iterator<char>(file), {});
    }
    std::ifstream page(DRYDOCK_SOURCE_DIR "/docs/packs.md");
    std::string line;
    std::string section;
    bool is_example = false;
    std::size_t count = 0;
    while (std::getline(page, line)) {
        section = line.starts_with("## ") ? line : section;
        if (line.starts_with("```")) {
            is_example = line == "```yaml" && section == "## What really happens";
        } else if (is_example) {
            EXPECT_NE(lines.find("\n" + line + "\n"), std::string::npos) << line;
            ++count;
        }
    }
    EXPECT_GT(count, 25U);
}

// A release of each form that systems give their releases.
TEST(Laws, ReleasesHaveTheNamesThatSystemsGiveThem) {
    const auto loaded = read_pack(
        "names",
        {{"pack.yaml", "pack: names\ntitle: names\nroles: {m: {}}\nfacts: {}\n"},
         {"procedures/upgrade.yaml", "procedure: upgrade\nkind: x\ntitle: x\nphases: []\n"},
         {"releases.yaml",
          "stores: {}\n"
          "series: {\"v1.7\": {}, \"v1.10\": {}, RELEASE.2020: {}, \"22.03\": {}, \"24.1\": {}}\n"
          "releases:\n"
          "  v1.7-ose: {series: \"v1.7\"}\n"
          "  v1.10.2: {series: \"v1.10\"}\n"
          "  RELEASE.2020-08-18T19-41-00Z: {series: RELEASE.2020}\n"
          "  \"22.03.0\": {series: \"22.03\"}\n"
          "  \"24.1.2.1-stable\": {series: \"24.1\"}\n"}});
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    EXPECT_EQ(loaded.value->releases.size(), 5U);
    EXPECT_THAT(loaded.value->series_order,
                ElementsAre("v1.7", "v1.10", "22.03", "24.1", "RELEASE.2020"));
}

std::string cluster_text() {
    std::ifstream file(k_laws + "/cluster.yaml");
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Laws, FewerMembersThanAreReadyTogetherAreRefused) {
    model::Pack pack = laws();
    pack.roles.at("server").ready_with = 3;
    const auto cluster = read_cluster("cluster.yaml", cluster_text(), pack);
    EXPECT_THAT(cluster.diagnostics.text(),
                testing::HasSubstr("cluster.yaml:12:5  members of `server` are ready only while 3 "
                                   "run, and there are 2; add members, or lower `ready_with` at "));
    pack.roles.at("server").ready_with = 2;
    EXPECT_TRUE(read_cluster("cluster.yaml", cluster_text(), pack).value);
}

TEST(Laws, TheOnlyStoreWithoutALevelHasTheBoundFact) {
    const auto loaded = read_pack(
        "levels",
        {{"pack.yaml",
          "pack: levels\ntitle: levels\nroles: {m: {stores: [data]}}\n"
          "facts: {m: {format: {binds: format, type: text, probe: {link: release}}}}\n"},
         {"procedures/upgrade.yaml", "procedure: upgrade\nkind: x\ntitle: x\nphases: []\n"},
         {"releases.yaml",
          "stores: {data: {role: m, formats: [\"1\"]}}\n"
          "series: {\"1\": {data: {reads: [\"1\"], writes: \"1\"}}}\n"
          "releases: {\"1.0\": {series: \"1\"}}\n"}});
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    EXPECT_EQ(loaded.value->stores.at("data").level, "format");
}

TEST(Laws, AStepRaisesOnlyWhatALawRaises) {
    std::map<std::string, std::string> files = {
        {"pack.yaml", "pack: raises\ntitle: raises\nroles: {m: {stores: [data]}}\nfacts: {}\n"},
        {"procedures/upgrade.yaml",
         "procedure: upgrade\nkind: x\ntitle: x\nphases:\n"
         "  - {phase: p, each: {role: m}, steps: [{run: x, do: {command: {argv: [x]}}, "
         "effect: {raises: data}}]}\n"},
        {"releases.yaml",
         "stores: {data: {role: m, formats: [\"1\"]}}\n"
         "series: {\"1\": {data: {reads: [\"1\"], writes: \"1\"}}}\n"
         "releases: {\"1.0\": {series: \"1\"}}\n"}};
    EXPECT_THAT(read_pack("raises", files).diagnostics.text(),
                testing::HasSubstr("no release raises the store `data`"));
    std::string& releases = files["releases.yaml"];
    releases.replace(releases.find("writes: \"1\""), 11, "writes: \"1\", raises: on_migrate");
    EXPECT_TRUE(read_pack("raises", files).value);
}

TEST(Laws, AStepWithoutATitleSaysWhatItDoesToWhom) {
    EXPECT_EQ(law_step(1, 0).title, "stop ${member}");
    EXPECT_EQ(law_step(1, 1).title, "install ${to} on ${member}");
    EXPECT_EQ(law_step(1, 2).title, "migrate data on ${member}");
    EXPECT_EQ(law_step(1, 3).title, "start ${member}");
    EXPECT_EQ(law_step(2, 0).title, "restart the machine");
}

TEST(Laws, AnEmptyWhileTakesADefaultAway) {
    const auto loaded =
        read_pack("defaults",
                  {{"pack.yaml",
                    "pack: defaults\ntitle: defaults\n"
                    "roles: {m: {steps: {run: {while: {becomes: {fact: busy, value: true}}}}}}\n"
                    "facts: {m: {busy: {type: bool, probe: {file: {path: /busy, as: exists}}}}}\n"},
                   {"procedures/upgrade.yaml",
                    "procedure: upgrade\nkind: x\ntitle: x\nphases:\n"
                    "  - phase: p\n    each: {role: m}\n    steps:\n"
                    "      - {run: x, do: {command: {argv: [x]}}}\n"
                    "      - {run: y, do: {command: {argv: [y]}}, while: []}\n"},
                   {"releases.yaml", "stores: {}\nseries: {}\nreleases: {}\n"}});
    ASSERT_TRUE(loaded.value) << loaded.diagnostics.text();
    const auto& steps = loaded.value->procedures.at(0).phases.at(0).steps;
    EXPECT_EQ(steps.at(0).meanwhile.size(), 1U);
    EXPECT_EQ(steps.at(1).meanwhile.size(), 0U);
}

TEST(Laws, AMembersLabelWinsOverItsHosts) {
    const std::string text = cluster_text();
    const auto cluster = read_cluster("/srv/shards/cluster.yaml", text, laws());
    ASSERT_TRUE(cluster.value) << cluster.diagnostics.text();
    const auto& members = cluster.value->members;
    EXPECT_EQ(members.at(0).labels.at("shard"), "s1");
    EXPECT_EQ(members.at(1).labels.at("shard"), "s2");
    EXPECT_EQ(members.at(1).labels.at("rack"), "r2");
    EXPECT_EQ(cluster.value->hosts.at("b").labels.at("shard"), "s1");
    EXPECT_EQ(members.at(1).service["argv"].items().at(3), Json("b"));
}

}  // namespace
}  // namespace drydock::pack
