#include "planner/small_fixtures.h"

namespace drydock::planner {

namespace {

constexpr const char* k_beside = R"(cluster: beside
system: beside
state: /srv/state
hosts: {here: {connect: local}}
roles:
  server:
    host: here
    service: {process: {argv: ["${release}/run", "${member}"], pid_file: "/run/${member}.pid", log: "/log/${member}.log"}}
    release: {link: "/opt/${member}", versions: {"1.0": /opt/1.0, "2.0": /opt/2.0}}
policy: {soak: 1m, backups: {path: /backup}}
members:
  - {role: server, name: b1, side: blue}
  - {role: server, name: g1, side: green}
)";

constexpr const char* k_packaged = R"(cluster: packaged
system: packaged
state: /srv/state
hosts: {h1: {connect: local}, h2: {connect: local}, h3: {connect: local}}
roles:
  node:
    service: {process: {argv: ["/usr/bin/node", "${member}"], pid_file: "/run/${member}.pid", log: "/log/${member}.log"}}
    release: {link: "/opt/${member}", versions: {"1.0": /opt/1.0, "2.0": /opt/2.0}}
policy: {soak: 1m, max_unavailable: 2, backups: {path: /backup}}
members:
  - {role: node, name: a1, host: h1}
  - {role: node, name: b1, host: h2}
  - {role: node, name: c1, host: h3}
  - {role: node, name: a2, host: h1}
  - {role: node, name: b2, host: h2}
  - {role: node, name: c2, host: h3}
)";

}  // namespace

Fixture packaged_site() {
    Fixture site;
    site.pack = load_site_pack("tests/packs/packaged");
    site.cluster = read_site_cluster(k_packaged, site.pack);
    for (const model::Member& member : site.cluster.members) {
        install(site, member.name, "1.0");
        start(site, member.name, "1.0");
        site.set(member.name, "package", "installed");
    }
    return site;
}

Fixture copied_site() {
    Fixture site = small_site("copied", 1, "1.0");
    site.set("", "serving", "old");
    site.set("", "writes", "accepted");
    return site;
}

Fixture beside_site() {
    Fixture site;
    site.pack = load_site_pack("tests/packs/beside");
    site.cluster = read_site_cluster(k_beside, site.pack);
    for (const auto& [member, version] : {std::pair("b1", "1.0"), std::pair("g1", "2.0")}) {
        install(site, member, version);
        start(site, member, version);
    }
    site.set("", "serving", "blue");
    return site;
}

// An older release than both is on the disk, too.
Fixture pruned_site() {
    Fixture site = small_site("pruned", 2, "1.0");
    for (const char* member : {"m1", "m2"}) {
        site.set(member, "on_disk", Json(Json::Array{"0.9", "1.0"}));
    }
    return site;
}

Fixture sealed_site() {
    Fixture site = small_site("sealed", 2, "1.0");
    site.set("", "sealed", false);
    return site;
}

}  // namespace drydock::planner
