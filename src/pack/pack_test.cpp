// Good packs and cluster files come out as the model says: types, defaults, scopes, absolute paths.
#include "pack/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace drydock::pack {
namespace {

using testing::ElementsAre;

const std::string k_base = DRYDOCK_SOURCE_DIR "/tests/bad_input/base";

const model::Pack& etcd() {
    static const Loaded<model::Pack> loaded = load_pack(k_base);
    EXPECT_EQ(loaded.diagnostics.text(), "0 problems\n");
    return loaded.value.value();
}

const model::FactSpec& fact(const std::string& name) {
    const auto& facts = etcd().facts;
    return *std::find_if(facts.begin(), facts.end(), [&](auto& one) { return one.name == name; });
}

const model::StepSpec& step(std::size_t procedure, std::size_t phase, std::size_t index) {
    return etcd().procedures.at(procedure).phases.at(phase).steps.at(index);
}

model::Cluster orders() {
    std::ifstream file(k_base + "/cluster.yaml");
    std::ostringstream text;
    text << file.rdbuf();
    auto loaded = read_cluster("/srv/orders/cluster.yaml", text.str(), etcd());
    EXPECT_EQ(loaded.diagnostics.text(), "0 problems\n");
    return loaded.value.value();
}

TEST(Pack, ProbesKeepTheirParametersAndGetADeadline) {
    EXPECT_EQ(fact("db_size").probe.dump(),
              R"({"body":{},"deadline_ms":2000,"method":"POST","missing":0,)"
              R"("pointer":"/dbSize","url":"${client_url}/status"})");
    EXPECT_EQ(fact("alarms").probe["deadline_ms"].as_int(), 5000);
    EXPECT_EQ(fact("running").probe["method"].as_string(), "GET");
    EXPECT_EQ(fact("pid").kind, "process");
    EXPECT_EQ(fact("pid").probe.dump(), R"({"deadline_ms":2000})");
    EXPECT_TRUE(fact("writes").writes);
}

TEST(Pack, FactsSayWhatTheyNeedFirst) {
    EXPECT_THAT(fact("db_percent").inputs, ElementsAre("db_size", "quota"));
    EXPECT_THAT(fact("hash").inputs, ElementsAre("revision"));
    EXPECT_THAT(fact("level").inputs, ElementsAre("cluster_version"));
    EXPECT_EQ(fact("level").derive, model::Derivation::highest);
}

TEST(Pack, AReleaseHasItsSeriesLawsWithItsOwnOnTop) {
    const model::FormatSupport& law = etcd().releases.at("3.5.16").laws.at("data");
    EXPECT_THAT(law.reads, ElementsAre("3.4", "3.5"));
    EXPECT_EQ(law.trigger, model::FormatTrigger::when_all);
    EXPECT_TRUE(law.lowers_on_request);
    EXPECT_FALSE(etcd().series.at("3.5").at("data").lowers_on_request);
    EXPECT_THAT(etcd().series_order, ElementsAre("3.4", "3.5"));
}

TEST(Pack, AConditionIsAboutWhomItsPlaceMeans) {
    const auto& require = step(0, 0, 0);
    EXPECT_EQ(require.preconditions.at(0).quantifier, model::Quantifier::every);
    EXPECT_EQ(require.preconditions.at(1).quantifier, model::Quantifier::any);
    EXPECT_TRUE(require.selection->role.empty());
    EXPECT_EQ(step(0, 2, 2).postconditions.at(0).quantifier, model::Quantifier::self);
    EXPECT_EQ(step(0, 1, 0).selection->filter.at(0).quantifier, model::Quantifier::self);
    EXPECT_EQ(step(0, 3, 0).postconditions.at(0).quantifier, model::Quantifier::system);
    EXPECT_EQ(etcd().procedures.at(0).applies_while.at(0).operand.as_string(), "3.5");
}

TEST(Pack, StepsHaveTheirDefaults) {
    EXPECT_TRUE(step(0, 2, 0).quorum_without == model::Reach::member);
    EXPECT_EQ(step(0, 2, 0).repeatable, model::Repeatable::yes);
    EXPECT_EQ(step(0, 2, 2).repeatable, model::Repeatable::probe);
    EXPECT_EQ(step(0, 2, 1).id, "install");
    EXPECT_FALSE(step(0, 2, 1).selection);
    EXPECT_EQ(step(0, 0, 0).title, "every member is up, one leads, no alarm");
    EXPECT_EQ(step(0, 1, 0).timeout_ms, 600'000);
    EXPECT_EQ(step(1, 0, 2).postconditions.at(0).operand.dump(), R"(["${from}","3.4.23"])");
}

TEST(Pack, ARequestIsTheAgentsAction) {
    EXPECT_EQ(step(0, 2, 3).request.dump(),
              R"({"argv":["${script}","${data_dir}"],"env":{},"exit_done":[0],"kind":"command"})");
    EXPECT_EQ(step(0, 2, 3).script, "mark.sh");
    EXPECT_EQ(step(0, 1, 0).effects.at(0).kind, model::EffectKind::copies);
}

TEST(Pack, TheDigestIsOverEveryPart) {
    std::map<std::string, std::string> files;
    for (const char* name :
         {"pack.yaml", "releases.yaml", "procedures/upgrade.yaml", "scripts/mark.sh"}) {
        std::ifstream file(k_base + "/" + name);
        files[name] = {std::istreambuf_iterator<char>(file), {}};
    }
    EXPECT_EQ(read_pack(k_base, files).value->digest, etcd().digest);
    files["README.md"] = "not a part";
    EXPECT_EQ(read_pack(k_base, files).value->digest, etcd().digest);
    files["scripts/mark.sh"] += "#";
    EXPECT_NE(read_pack(k_base, files).value->digest, etcd().digest);
}

TEST(Cluster, PathsAreAbsoluteFromTheFilesFolder) {
    const model::Cluster cluster = orders();
    const model::Member& m1 = cluster.members.at(0);
    EXPECT_EQ(cluster.state_dir, "/srv/orders/state");
    EXPECT_EQ(m1.link, "/srv/orders/demo/m1/current");
    EXPECT_EQ(m1.settings.at("data_dir"), "/srv/orders/demo/m1/data");
    EXPECT_EQ(m1.versions.at("3.4.23"), "/srv/orders/etcd-3.4.23");
    EXPECT_EQ(m1.versions.at("3.5.16"), "/opt/etcd-3.5.16");
    EXPECT_EQ(cluster.policy.backup_path, "/srv/orders/backups");
    EXPECT_EQ(cluster.hosts.at("a").state_dir, "/srv/orders/state/hosts/a");
}

TEST(Cluster, AServiceIsWhatTheAgentTakes) {
    EXPECT_EQ(orders().members.at(1).service.dump(),
              R"({"argv":["/srv/orders/demo/m2/current/etcd","--name","m2","--data-dir",)"
              R"("/srv/orders/demo/m2/data"],)"
              R"("env":{"GOMAXPROCS":"2","PASSWORD":"${secret:member.password}"},)"
              R"("log":"/srv/orders/demo/m2/etcd.log",)"
              R"("pid_file":"/srv/orders/demo/m2/etcd.pid",)"
              R"("releases":["/srv/orders/etcd-3.4.23","/opt/etcd-3.5.16"],)"
              R"("stop":{"signal":"TERM","within_ms":10000},"type":"process"})");
}

TEST(Cluster, DefaultsAndSecretsAreFilledIn) {
    const model::Cluster cluster = orders();
    EXPECT_EQ(cluster.members.at(2).host, "b");
    EXPECT_EQ(cluster.members.at(0).settings.at("snapshot_count"), "100000");
    EXPECT_EQ(cluster.secrets.at("member.password").kind, model::SecretKind::file);
    EXPECT_THAT(cluster.secrets.at("member.password").origin, ElementsAre("/srv/orders/password"));
    EXPECT_EQ(cluster.policy.soak_ms, 300'000);
    EXPECT_THAT(cluster.hosts.at("b").connect, ElementsAre("ssh", "b.example.org"));
}

TEST(Cluster, TheSystemIsKnownBeforeThePack) {
    EXPECT_EQ(cluster_system(k_base + "/cluster.yaml").value(), "etcd");
    EXPECT_EQ(cluster_system(k_base + "/nowhere.yaml").error().code, "file.read");
    EXPECT_EQ(cluster_system(k_base + "/releases.yaml").error().code, "key.missing");
}

TEST(Pack, AMissingFolderIsToldByItsFiles) {
    const auto loaded = load_pack(k_base + "/nowhere");
    EXPECT_FALSE(loaded.value);
    EXPECT_THAT(loaded.diagnostics.text(), testing::HasSubstr("a pack needs the file `pack.yaml`"));
}

}  // namespace
}  // namespace drydock::pack
