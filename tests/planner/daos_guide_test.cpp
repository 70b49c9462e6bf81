// The guide that people read, beside DAOS's own page "Upgrading to DAOS Version 2.0": the same
// steps in the same order, and what that page does not say.
#include "checker/checker.h"
#include "cli/render.h"
#include "planner/fixture.h"
#include "planner/golden.h"
#include "planner/pachyderm_fixture.h"

#include <gtest/gtest.h>

namespace drydock::planner {
namespace {

constexpr const char* k_old = "1.2.0";
constexpr const char* k_new = "2.0.3";

constexpr const char* k_cluster = R"(cluster: lab
system: daos
state: /srv/state
hosts: {n1: {connect: [ssh, n1]}, n2: {connect: [ssh, n2]}}
roles:
  server:
    service:
      command:
        start: [systemctl, start, daos_server]
        stop: [systemctl, stop, daos_server]
        status: [systemctl, is-active, -q, daos_server]
    release: {link: /opt/daos/current, versions: {"1.2.0": /opt/daos/1.2.0, "2.0.3": /opt/daos/2.0.3}}
members:
  - {role: server, host: n1, name: s0, settings: {rank: 0}}
  - {role: server, host: n2, name: s1, settings: {rank: 1}}
policy: {soak: 1h, backups: {path: /backup/drydock, keep: 1}}
)";

Fixture two_servers() {
    Fixture site;
    site.pack = load_site_pack("packs/daos");
    site.cluster = read_site_cluster(k_cluster, site.pack);
    for (const char* member : {"s0", "s1"}) {
        const std::pair<const char*, Json> facts[] = {{"service", "running"},
                                                      {"installed", k_old},
                                                      {"running", k_old},
                                                      {"ready", true},
                                                      {"os", "centos7.9"},
                                                      {"os_then", "centos7.9"},
                                                      {"os_done", true},
                                                      {"pool_level", "1.2"},
                                                      {"acl_writes", "accepted"},
                                                      {"upgrades", "none"},
                                                      {"idle", "yes"},
                                                      {"not_posix", 0},
                                                      {"copied", Json()},
                                                      {"restored", Json()}};
        for (const auto& [fact, value] : facts) {
            site.set(member, fact, value);
        }
    }
    const std::pair<const char*, Json> facts[] = {
        {"os_levels", "centos7.9"}, {"level", "1.2"}, {"writes", "accepted"}};
    for (const auto& [fact, value] : facts) {
        site.set("", fact, value);
    }
    return site;
}

// The gate stands where trying the way back finds that it closes.
std::string guide() {
    const Fixture site = two_servers();
    const auto first = site.compile(k_old, k_new);
    EXPECT_TRUE(first.plan.has_value()) << text(first);
    if (!first.plan) {
        return "";
    }
    checker::Options options;
    options.faults = {0, 0, 0, 0, 0};
    options.compile_downgrade = downgrades_of(site, k_old, k_new);
    const auto report = checker::check(*first.plan, options);
    const auto compiled = planner::compile({site.pack,
                                            site.cluster,
                                            site.facts,
                                            "upgrade",
                                            k_old,
                                            k_new,
                                            "roll",
                                            "",
                                            "",
                                            report.return_point_hint});
    std::string told = cli::render_guide(*compiled.plan);
    const std::string digest = compiled.plan->digest().substr(0, 8);
    return told.replace(told.find(digest), digest.size(), "DIGEST..");
}

TEST(DaosGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-daos.md", guide());
}

TEST(DaosGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    const std::pair<const char*, const char*> steps[] = {
        {"(nothing): users stop writing", "s0: let only the copier in, and evict everybody**"},
        {"back up to non-DAOS storage",
         "s0: mount every container, copy it out, and prove the copy"},
        {"verify the OS", "s0: the OS of 2.0.3 is there**"},
        {"install", "**install 2.0.3 on s0**"},
        {"(nothing): the last moment to go back", "**Gate \"point-of-no-return\".**"},
        {"format", "s0: format the storage of all servers**"},
        {"copy back", "s0: make pools and containers again, and copy everything in**"},
        {"(nothing): users write again", "s0: let users in again**"},
    };
    const std::string told = guide();
    std::size_t at = 0;
    for (const auto& [official, ours] : steps) {
        const std::size_t found = told.find(ours, at);
        EXPECT_NE(found, std::string::npos) << official << ": " << ours;
        at = found == std::string::npos ? at : found;
    }
}

}  // namespace
}  // namespace drydock::planner
