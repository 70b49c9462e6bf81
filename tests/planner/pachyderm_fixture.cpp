#include "planner/pachyderm_fixture.h"

#include <fmt/format.h>

namespace drydock::planner {

namespace {

using Facts = std::map<std::string, Json>;

// Where an installation is looked for; the service's own commands are not used by any step.
constexpr std::string_view k_role = R"(cluster: lab
system: pachyderm
state: /srv/state
hosts: {desk: {connect: local}}
policy: {soak: 1d, backups: {path: /backups}}
roles:
  ROLE:
    host: desk
    service: {command: {start: ["true"], stop: ["true"], status: ["true"]}}
    release:
      link: "/opt/pachctl/${member}"
      versions: {"1.9.9": /opt/a, "1.9.12": /opt/b, "1.10.5": /opt/c, "1.11.9": /opt/d, "1.12.5": /opt/e,
                 "2.5.4": /opt/f, "2.7.0": /opt/g, "2.10.0": /opt/h}
    settings: {kubeconfig: /etc/drydock/kube, context: prod, OWN}
)";

constexpr const char* k_pachctl =
    R"(pachctl: "${release}/pachctl", pach_config: "/etc/drydock/${member}.json")";

constexpr const char* k_sides = R"(members:
  - {role: pachd, name: pach-old, side: blue, settings: {namespace: default, bucket: "s3://data"}}
  - {role: pachd, name: pach-new, side: green, settings: {namespace: pach-new, bucket: "s3://data-2", clone_of: "s3://data",
     manifest: /etc/drydock/pach-new.json, own_ports: "30650=31650", api_port: "31650"}}
)";

model::Cluster cluster_of(const model::Pack& pack,
                          const std::string& role,
                          const std::string& settings,
                          const std::string& members) {
    std::string text(k_role);
    text.replace(text.find("ROLE"), 4, role);
    text.replace(text.find("OWN"), 3, settings);
    return read_site_cluster(text + members, pack);
}

void set_all(Fixture& site, const std::string& member, const Facts& facts) {
    for (const auto& [fact, value] : facts) {
        site.set(member, fact, value);
    }
}

Fixture single(const std::string& role, const std::string& settings) {
    Fixture site;
    site.pack = load_site_pack("packs/pachyderm");
    site.cluster = cluster_of(
        site.pack, role, settings, fmt::format("members: [{{role: {}, name: pach}}]\n", role));
    return site;
}

// Facts of a Kubernetes cluster, whatever is deployed there.
Facts facts_of_place(const std::string& namespace_name) {
    return {{"kube_uid", "6b7d"},
            {"may_move", true},
            {"may_find", true},
            {"may_delete", true},
            {"bound_to", Json(Json::Array{"default"})},
            {"context_namespace", namespace_name},
            {"noted", false},
            {"pause_ports", "free"},
            {"clone", Json()}};
}

Facts facts_of_pachd(const std::string& release) {
    return {{"installed", release},
            {"running", release},
            {"ready", true},
            {"answers", release},
            {"sound", true},
            {"open_commits", 0},
            {"paused", false},
            {"pods", 5}};
}

}  // namespace

Fixture pachyderm_sides() {
    Fixture site;
    site.pack = load_site_pack("packs/pachyderm");
    site.cluster = cluster_of(site.pack,
                              "pachd",
                              fmt::format("{}, entry: /etc/drydock/entry, places: "
                                          "\"blue=prod/default green=prod/pach-new\"",
                                          k_pachctl),
                              k_sides);
    set_all(site, "pach-old", facts_of_place("default"));
    set_all(site, "pach-old", facts_of_pachd("1.9.12"));
    set_all(site, "pach-old", {{"api_at", "30650"}, {"etcd_at", "32379"}, {"dash_at", "30080"}});
    set_all(site, "pach-new", facts_of_place("pach-new"));
    set_all(site,
            "pach-new",
            {{"installed", "1.10.5"},
             {"running", Json()},
             {"ready", Json()},
             {"deployable", true},
             {"restored", "none"},
             {"paused", true},
             {"open_commits", 0},
             {"same_content", false},
             {"api_at", Json()},
             {"etcd_at", Json()},
             {"dash_at", Json()}});
    set_all(site, "", {{"serving", "blue"}, {"writes", "accepted"}});
    return site;
}

Fixture pachyderm_server(const std::string& release) {
    Fixture site = single(
        "server", fmt::format("{}, namespace: default, deploy: /etc/drydock/deploy", k_pachctl));
    set_all(site, "pach", facts_of_place("default"));
    set_all(site, "pach", facts_of_pachd(release));
    return site;
}

Fixture pachyderm_chart(const std::string& release) {
    Fixture site = single("chart",
                          "namespace: default, bucket: \"s3://data\", copy_bucket: "
                          "\"s3://data-copy\", values: /etc/drydock/values.yaml, db_host: db");
    set_all(site,
            "pach",
            {{"kube_uid", "6b7d"},
             {"installed", release},
             {"running", release},
             {"ready", true},
             {"pods", 3},
             {"pachd_pods", 1},
             {"worker_pods", 2},
             {"database_level", "27"},
             {"clone", Json()},
             {"preflight", Json()},
             {"dumped", Json()}});
    return site;
}

}  // namespace drydock::planner
