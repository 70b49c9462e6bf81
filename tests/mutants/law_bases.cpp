// The plans of tests/mutants/packs: a site of two to four nodes for each.
#include "mutants/bases.h"

#include <fmt/format.h>

namespace drydock::mutants {

namespace {

using planner::Fixture;

constexpr std::string_view k_site = R"(cluster: small
system: {}
state: /srv/state
hosts: {{h1: {{connect: local}}, h2: {{connect: local}}, h3: {{connect: local}}, h4: {{connect: local}}}}
roles:
  node:
    service:
      process: {{argv: ["${{release}}/node", "${{member}}"], pid_file: "/run/${{member}}.pid", log: "/log/${{member}}.log"}}
    release:
      link: "/opt/${{member}}/current"
      versions: {{"1.0": /opt/node-1.0, "2.0": /opt/node-2.0}}
policy: {{soak: 1m, backups: {{path: /backup}}}}
members:
)";

// Racks and shards of m1, m2, ...
constexpr const char* k_labels[] = {
    "rack: r1, shard: s1", "rack: r1, shard: s1", "rack: r2, shard: s2", "rack: r3, shard: s2"};

// `hosts` as {1, 1, 2}: m1 and m2 share h1. Empty: each member has a host of its own.
Fixture site_of(const std::string& pack, int members, const std::vector<int>& hosts = {}) {
    Fixture site;
    site.pack = planner::load_site_pack("tests/mutants/packs/" + pack);
    std::string text = fmt::format(k_site, pack);
    for (int i = 1; i <= members; ++i) {
        const std::size_t at = static_cast<std::size_t>(i) - 1;
        text += fmt::format("  - {{role: node, name: m{}, host: h{}, labels: {{{}}}}}\n",
                            i,
                            hosts.empty() ? i : hosts[at],
                            k_labels[at]);
    }
    site.cluster = planner::read_site_cluster(text, site.pack);
    for (const model::Member& member : site.cluster.members) {
        planner::install(site, member.name, "1.0");
        planner::start(site, member.name, "1.0");
    }
    return site;
}

Base base_of(Fixture site) {
    const std::string name = site.pack.name + " upgrade";
    return {name, std::make_shared<Fixture>(std::move(site)), "1.0", "2.0", "upgrade"};
}

Fixture with(Fixture site, const std::string& fact, const Json& value) {
    site.set("", fact, value);
    return site;
}

Base paused() {
    return base_of(with(with(site_of("paused", 2), "alerts", true), "compat", "1.0"));
}

// Behind the upgrade: its setting is the new one's.
Base paused_back() {
    const auto before = paused().plan();
    Fixture site = with(with(site_of("paused", 2), "alerts", true), "compat", "2.0");
    for (const model::Member& member : site.cluster.members) {
        planner::install(site, member.name, "2.0");
        planner::start(site, member.name, "2.0");
    }
    Base base = {
        "paused downgrade", std::make_shared<Fixture>(std::move(site)), "2.0", "1.0", "downgrade"};
    base.temporaries = before->temporaries;
    return base;
}

Base led() {
    Fixture site = site_of("led", 3);
    for (const char* member : {"m1", "m2", "m3"}) {
        site.set(member, "leads", std::string(member) == "m1");
    }
    return base_of(std::move(site));
}

Base voters() {
    Fixture site = site_of("voters", 3);
    for (const char* member : {"m1", "m2", "m3"}) {
        site.set(member, "votes", true);
    }
    return base_of(std::move(site));
}

// Who runs the old release last may die before the gate, and then the format rises.
Base last() {
    Base base = base_of(site_of("last", 3));
    base.outlives_deaths = false;
    return base;
}

// A primary that dies while the others are stopped has the oldest copy.
Base whole() {
    Base base = base_of(with(site_of("whole", 3), "writes", "accepted"));
    base.slow = true;
    return base;
}

Base newest() {
    Fixture site = site_of("newest", 2);
    site.set("m1", "primary", true);
    site.set("m2", "primary", false);
    Base base = base_of(std::move(site));
    base.outlives_deaths = false;
    return base;
}

Base unclean() {
    Fixture site = site_of("unclean", 2);
    site.set("m1", "clean", false);
    site.set("m2", "clean", false);
    return base_of(std::move(site));
}

Base image() {
    Fixture site = site_of("image", 2);
    for (const char* member : {"m1", "m2"}) {
        site.set(member, "libc", "2.36");
        site.set(member, "built", "2.36");
    }
    return base_of(std::move(site));
}

}  // namespace

std::vector<Base> law_bases() {
    return {
        base_of(site_of("restarted", 3)),
        paused(),
        paused_back(),
        base_of(site_of("racks", 4)),
        base_of(site_of("shards", 4)),
        voters(),
        led(),
        last(),
        whole(),
        newest(),
        base_of(with(site_of("twice-kept", 2), "kept", false)),
        base_of(with(site_of("reindexed", 2), "writes", "accepted")),
        base_of(with(site_of("half-done", 2), "dirty", false)),
        base_of(site_of("alone", 3)),
        unclean(),
        image(),
        base_of(site_of("packaged", 3, {1, 1, 2})),
        base_of(site_of("numbered", 3)),
        base_of(with(site_of("hurried", 2), "level", "1")),
    };
}

}  // namespace drydock::mutants
