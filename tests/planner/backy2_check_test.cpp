// backy2's plans: a proved copy before the schema rises, and both legs hold with faults.
#include "planner/fixture.h"
#include "planner/ozone_check.h"
#include "planner/way_back_nights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* k_cluster = R"(cluster: backups
system: backy2
state: /srv/state
hosts: {here: {connect: local}}
roles:
  store:
    host: here
    service: {command: {start: [ln, -sfn, "${release}/bin/backy2", "${program}"],
                        stop: [rm, -f, "${program}"], status: [test, -x, "${program}"]}}
    release: {link: /opt/current, versions: {"2.10.5": /opt/a, "2.13.8": /opt/b, "2.13.8+encrypted": /opt/b}}
    settings: {config: /etc/backy.cfg, program: /usr/local/bin/backy2}
members:
  - {role: store, name: store1}
policy: {soak: 0s, backups: {path: /backups}}
)";

constexpr const char* k_old = "2.10.5";
constexpr const char* k_new = "2.13.8";
constexpr const char* k_sealed = "2.13.8+encrypted";

Fixture site_of(const char* release, const char* head) {
    Fixture site;
    site.pack = load_site_pack("packs/backy2");
    site.cluster = read_site_cluster(k_cluster, site.pack);
    const bool is_sealed = std::string(release) == k_sealed;
    const std::map<std::string, Json> facts = {{"service", "running"},
                                               {"installed", release},
                                               {"running", release},
                                               {"ready", true},
                                               {"whole", true},
                                               {"head", head},
                                               {"enc_version_set", true},
                                               {"key_set", true},
                                               {"blobs_level", is_sealed ? "encrypted" : "plain"},
                                               {"plain_kept", true},
                                               {"copy_made", Json()}};
    for (const auto& [fact, value] : facts) {
        site.set("store1", fact, value);
    }
    return site;
}

Fixture old_site() {
    return site_of(k_old, "cd3f15ae79f8");
}

Fixture new_site(const char* release = k_new) {
    return site_of(release, "30349b678801");
}

TEST(Backy2, TheSchemaRisesBehindAGateAndAProvedCopy) {
    EXPECT_EQ(checked(old_site(), k_old, k_new, {1, 1, 1, 1, 1}), "holds");
    const auto compiled = old_site().compile(k_old, k_new);
    ASSERT_TRUE(compiled.plan) << text(compiled);
    EXPECT_EQ(compiled.plan->point_of_no_return.action, "raise/store1/schema");
    EXPECT_EQ(compiled.plan->find("raise/store1/schema")->alone,
              (std::vector<std::string>{"metadata"}));
}

TEST(Backy2, WithoutTheCopyTheWayBackWouldCloseForGood) {
    Fixture site = old_site();
    site.pack = changed_pack(
        "packs/backy2",
        "procedures/upgrade.yaml",
        {{"effect: [{copies: metadata}]", "takes: 2s"},
         {"repeatable: yes\n        attempts: 5\n        within: 10m\n        takes: 1s",
          "repeatable: yes"}});
    EXPECT_THAT(checked(site, k_old, k_new, {0, 0, 0, 0, 0}), HasSubstr("unverified-destroy"));
}

TEST(Backy2, BlobsAreEncryptedAndTakenBack) {
    EXPECT_EQ(checked(new_site(), k_new, k_sealed, {1, 1, 1, 1, 1}), "holds");
}

TEST(Backy2, TheCopyIsPutBackAlsoIfItIsCutOff) {
    EXPECT_EQ(checked_as("restore", new_site(), k_new, k_old, {1, 1, 1, 1, 1}), "holds");
    const auto compiled = new_site().compile(k_new, k_old, "restore");
    ASSERT_TRUE(compiled.plan) << text(compiled);
    EXPECT_THAT(compiled.plan->find("put-back/store1/metadata")->alone, ElementsAre("metadata"));
}

// Nothing starts the link that jobs call but drydock.
TEST(Backy2, NoJobGetsTheProgramByItself) {
    EXPECT_FALSE(old_site().compile(k_old, k_new).plan->roles.front().restarts);
}

// Nights of ways back, from where the upgrade may have come to.
TEST(Backy2, WaysBackGoWellAtNight) {
    const Nights nights = simulate_ways_back(new_site(), k_new, k_sealed);
    EXPECT_EQ(nights.wrong, "");
    EXPECT_GE(nights.plans, 1);
}

}  // namespace
}  // namespace drydock::planner
