#include "planner/small_sites.h"

namespace drydock::planner {

namespace {

constexpr std::string_view k_beside = R"(cluster: beside
system: beside
state: /srv/state
hosts: {here: {connect: local}}
roles:
  old: &
  new: &
policy: {soak: 1m, backups: {path: /backup}}
members:
  - {role: old, name: o1}
  - {role: new, name: n1}
)";

constexpr const char* k_beside_role = R"(
    host: here
    service: {process: {argv: ["${release}/run", "${member}"], pid_file: "/run/${member}.pid", log: "/log/${member}.log"}}
    release: {link: "/opt/${member}", versions: {"1.0": /opt/1.0, "2.0": /opt/2.0}})";

}  // namespace

Site copied_site() {
    Site site = small_site("copied", 1, "1.0");
    site.set("", "serving", "old");
    site.set("", "writes", "accepted");
    return site;
}

Site beside_site() {
    Site site;
    site.pack = load_site_pack("tests/packs/beside");
    std::string text;
    for (const char c : k_beside) {
        text += c == '&' ? std::string(k_beside_role) : std::string(1, c);
    }
    site.cluster = read_site_cluster(text, site.pack);
    for (const auto& [member, version] : {std::pair("o1", "1.0"), std::pair("n1", "2.0")}) {
        install(site, member, version);
        start(site, member, version);
    }
    site.set("", "serving", "old");
    return site;
}

Site sealed_site() {
    Site site = small_site("sealed", 2, "1.0");
    site.set("", "sealed", false);
    return site;
}

}  // namespace drydock::planner
