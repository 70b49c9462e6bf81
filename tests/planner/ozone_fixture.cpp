#include "planner/ozone_fixture.h"

#include "planner/interpolation.h"

#include <fmt/format.h>

namespace drydock::planner {

namespace {

constexpr std::string_view k_cluster = R"(cluster: lake
system: ozone
state: /srv/state
hosts: {here: {connect: local}}
releases:
  "2.2.0-h4o3":
    series: "2.2"
    hdds: {reads: ["0", "1", "2", "3", "4"], writes: "4"}
    om: {reads: ["0", "1", "2", "3"], writes: "3"}
policy: {soak: 7d, backups: {path: /backup}}
roles:
)";

constexpr std::string_view k_role = R"(    host: here
    service:
      command:
        start: ["${ozone}", --daemon, start, "${word}"]
        stop: ["${ozone}", --daemon, stop, "${word}"]
        status: ["${ozone}", --daemon, status, "${word}"]
    release:
      link: /opt/ozone/${member}
      versions: {"1.4.0": /opt/ozone-1.4.0, "1.4.1": /opt/ozone-1.4.1, "2.0.0": /opt/ozone-2.0.0, "2.1.0": /opt/ozone-2.1.0,
                 "2.2.0-h4o3": /opt/ozone-own, "2.2.1": /opt/ozone-2.2.1}
)";

struct Role {
    const char* name;
    const char* letter;
    int count;
    const char* settings;
};

std::string settings_of(const Role& role) {
    return fmt::format("word: {}, ozone: \"${{release}}/bin/ozone\", http_url: "
                       "\"http://${{member}}.example:9999\"{}",
                       role.name,
                       role.settings);
}

// What the settings of each role are besides where it answers.
constexpr const char* k_keeps =
    R"(, db_dir: "/data/${member}", copy_dirs: "/data/${member}", conf_dir: /etc/ozone)";
constexpr const char* k_names =
    R"(, db_dir: "/data/${member}", metadata_dir: "/meta/${member}", service_id: omservice,
      copy_dirs: "/data/${member}:/meta/${member}", conf_dir: /etc/ozone)";
constexpr const char* k_holds =
    R"(, metadata_dir: "/data/${member}", copy_dirs: "/data/${member}")";
constexpr const char* k_shows = R"(, db_dir: "/data/${member}")";

std::string cluster_text(int oms) {
    const Role roles[] = {{"scm", "scm", 1, k_keeps},
                          {"datanode", "dn", 3, k_holds},
                          {"om", "om", oms, k_names},
                          {"recon", "recon", 1, k_shows},
                          {"s3g", "s3g", 1, ""}};
    std::string text(k_cluster);
    std::string members = "members:\n";
    for (const Role& role : roles) {
        text +=
            fmt::format("  {}:\n{}    settings: {{{}}}\n", role.name, k_role, settings_of(role));
        for (int i = 1; i <= role.count; ++i) {
            members += fmt::format("  - {{role: {}, name: {}{}}}\n", role.name, role.letter, i);
        }
    }
    return text + members;
}

const model::Member& member_of(const Fixture& site, const std::string& name) {
    return *find_member(site.cluster, name);
}

// The layout that an installed release would raise to.
std::string software(const Fixture& site, const std::string& member, const std::string& store) {
    const auto installed = site.facts.at(model::fact_key(member, "installed")).value.as_string();
    return law_of(site.pack, installed, store)->writes;
}

bool has_layout(const std::string& role) {
    return role == "scm" || role == "datanode" || role == "om";
}

void set_finalized(Fixture& site, const model::Member& member) {
    if (has_layout(member.role)) {
        const std::string store = member.role == "om" ? "om" : "hdds";
        const auto disk = site.facts.at(model::fact_key(member.name, store + "_layout")).value;
        const std::string known = software(site, member.name, store);
        site.set(member.name, store + "_software", known);
        site.set(member.name, "finalized", disk == Json(known));
    }
}

}  // namespace

std::vector<std::string> members_of(const Fixture& site, const std::string& role) {
    std::vector<std::string> names;
    for (const model::Member& member : site.cluster.members) {
        if (role.empty() || member.role == role) {
            names.push_back(member.name);
        }
    }
    return names;
}

void ozone_stop(Fixture& site, const std::string& member) {
    site.set(member, "service", "stopped");
    for (const char* fact :
         {"running", "ready", "finalized", "hdds_software", "om_software", "is_leader", "java"}) {
        site.set(member, fact, {});
    }
    if (member_of(site, member).role == "scm") {
        for (const char* fact :
             {"safe_mode", "healthy_nodes", "stale_nodes", "dead_nodes", "open_containers"}) {
            site.set(member, fact, {});
        }
    }
}

void ozone_start(Fixture& site, const std::string& member) {
    const model::Member& one = member_of(site, member);
    site.set(member, "service", "running");
    site.set(member, "running", site.facts.at(model::fact_key(member, "installed")).value);
    site.set(member, "ready", true);
    set_finalized(site, one);
    if (one.role == "scm") {
        site.set(member, "safe_mode", false);
        site.set(member, "healthy_nodes", 3);
        for (const char* fact : {"readonly_nodes",
                                 "stale_nodes",
                                 "dead_nodes",
                                 "open_containers",
                                 "closing_containers"}) {
            site.set(member, fact, 0);
        }
    }
    if (one.role == "scm" || one.role == "om") {
        site.set(member, "is_leader", true);
        site.set(member, "java", "17");
    }
}

void ozone_layouts(Fixture& site, const std::string& hdds, const std::string& om) {
    for (const model::Member& member : site.cluster.members) {
        if (has_layout(member.role)) {
            const bool names = member.role == "om";
            site.set(member.name, names ? "om_layout" : "hdds_layout", names ? om : hdds);
        }
    }
    site.set("", "hdds_level", hdds);
    site.set("", "hdds_lowest", hdds);
    site.set("", "om_level", om);
}

Fixture ozone_fixture(const std::string& version, int oms) {
    Fixture site;
    site.pack = load_site_pack("packs/ozone");
    site.cluster = read_site_cluster(cluster_text(oms), site.pack);
    for (const auto& [name, release] : site.cluster.releases) {
        site.pack.releases.insert_or_assign(name, release);
    }
    ozone_layouts(
        site, law_of(site.pack, version, "hdds")->writes, law_of(site.pack, version, "om")->writes);
    for (const model::Member& member : site.cluster.members) {
        site.set(member.name, "installed", version);
        ozone_start(site, member.name);
        if (member.role == "scm" || member.role == "om") {
            site.set(member.name, "cluster_id", "CID-1");
            site.set(member.name, "scm_ha", true);
        }
        if (member.role == "om") {
            site.set(member.name, "writes", "accepted");
        }
        if (has_layout(member.role)) {
            site.set(member.name, "copied", {});
            site.set(member.name, "proved", {});
        }
    }
    return site;
}

}  // namespace drydock::planner
