// The guide that people read, beside DAOS's own page "Upgrading to DAOS Version 2.0": the same
// steps in the same order, and what that page does not say.
#include "planner/fixture.h"
#include "planner/golden.h"
#include "planner/guide.h"

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

std::string guide() {
    return guide_with_gate_tried(two_servers(), k_old, k_new);
}

TEST(DaosGuide, IsAsRecorded) {
    expect_golden_text("cli/guide-daos.md", guide());
}

TEST(DaosGuide, HasTheStepsOfTheOfficialPageInTheirOrder) {
    expect_in_order(
        guide(),
        {
            {"(nothing): users stop writing", "s0: let only the copier in, and evict everybody**"},
            {"back up to non-DAOS storage",
             "s0: mount every container, copy it out, and prove the copy"},
            {"verify the OS", "s0: the OS of 2.0.3 is there**"},
            {"install", "**install 2.0.3 on s0**"},
            {"(nothing): the last moment to go back", "**Gate \"point-of-no-return\".**"},
            {"format", "s0: format the storage of all servers**"},
            {"copy back", "s0: make pools and containers again, and copy everything in**"},
            {"(nothing): users write again", "s0: let users in again**"},
        });
}

}  // namespace
}  // namespace drydock::planner
