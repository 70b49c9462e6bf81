#include "planner/fixture.h"

#include "base/check.h"
#include "pack/load.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace drydock::planner {

namespace {

constexpr std::string_view k_etcd = R"(cluster: orders
system: etcd
state: /srv/state
hosts: {here: {connect: local}}
roles:
  member:
    host: here
    service:
      process:
        argv: ["${release}/etcd", --data-dir, "${data_dir}"]
        pid_file: "/run/${member}.pid"
        log: "/log/${member}.log"
    release:
      link: "/opt/${member}/current"
      versions: {"3.4.23": /opt/etcd-3.4.23, "3.5.16": /opt/etcd-3.5.16, "3.5.21": /opt/etcd-3.5.21, "3.6.1": /opt/etcd-3.6.1}
    settings: {data_dir: "/data/${member}", initial_cluster: "m1=http://127.0.0.1:3001"}
policy: {soak: 10m, backups: {path: /backup}}
members:
)";

constexpr std::string_view k_small = R"(cluster: small
state: /srv/state
hosts: {here: {connect: local}}
roles:
  node:
    host: here
    service:
      process: {argv: ["${release}/node", "${member}"], pid_file: "/run/${member}.pid", log: "/log/${member}.log"}
    release:
      link: "/opt/${member}/current"
      versions: {"1.0": /opt/node-1.0, "2.0": /opt/node-2.0}
policy: {soak: 1m, backups: {path: /backup}}
)";

constexpr std::string_view k_offline = R"(cluster: offline
system: offline
state: /srv/state
hosts: {here: {connect: local}}
releases: {"1.0-own": {series: "1"}}
roles:
  keeper: &
  node: &
  names: &
  viewer: &
policy: {soak: 1m, backups: {path: /backup}}
members:
)";

constexpr std::string_view k_offline_role = R"(
    host: here
    service:
      process: {argv: ["${release}/run", "${member}"], pid_file: "/run/${member}.pid", log: "/log/${member}.log"}
    release:
      link: "/opt/${member}/current"
      versions: {"1.0": /opt/1.0, "1.0-own": /opt/own, "2.0": /opt/2.0, "2.1": /opt/2.1})";

std::string name_of(int member) {
    return fmt::format("m{}", member);
}

// What every member of an etcd cluster at rest tells.
void set_member(Fixture& site, int member, const std::string& version, int leader) {
    const std::string name = name_of(member);
    Json everybody = Json::Array{};
    for (const model::Member& one : site.cluster.members) {
        everybody.push(one.name);
    }
    const std::map<std::string, Json> values = {
        {"auth_on", false},
        {"cluster_version", version.substr(0, 3) + ".0"},
        {"cluster_id", "c1"},
        {"member_id", fmt::format("id{}", member)},
        {"leader", fmt::format("id{}", leader)},
        {"is_leader", member == leader},
        {"applied", 100},
        {"revision", 50},
        {"errors", Json(Json::Array{})},
        {"db_percent", 1},
        {"room", 1'000'000'000},
        {"has_data", true},
        {"members_seen", everybody},
        {"learner", Json()},
        {"downgrade_on", Json()},
        {"kv_hash", Json(Json::Array{"1", "2"})},
        {"old_binary", "sha-old"},
        {"new_binary", "sha-new"},
    };
    for (const auto& [fact, value] : values) {
        site.set(name, fact, value);
    }
    install(site, name, version);
    start(site, name, version);
}

const char* name_of_kind(const std::string& procedure) {
    return procedure == "upgrade" ? "roll" : "back";
}

}  // namespace

model::Pack load_site_pack(const std::string& folder) {
    auto loaded = pack::load_pack(std::string(DRYDOCK_SOURCE_DIR) + "/" + folder);
    if (!loaded.value) {
        std::fprintf(stderr, "%s\n", loaded.diagnostics.text().c_str());
    }
    CHECK(loaded.value.has_value());
    return std::move(*loaded.value);
}

model::Pack changed_pack(const std::string& folder,
                         const std::string& file,
                         const std::vector<std::pair<std::string, std::string>>& words) {
    std::string scratch = std::filesystem::temp_directory_path() / "drydock-pack.XXXXXX";
    CHECK(::mkdtemp(scratch.data()) != nullptr);
    const std::string copy = scratch + "/" + std::filesystem::path(folder).filename().string();
    std::filesystem::copy(std::string(DRYDOCK_SOURCE_DIR) + "/" + folder,
                          copy,
                          std::filesystem::copy_options::recursive);
    std::stringstream read;
    read << std::ifstream(copy + "/" + file).rdbuf();
    std::string text = read.str();
    for (const auto& [before, after] : words) {
        const auto at = text.find(before);
        CHECK(at != std::string::npos);
        text.replace(at, before.size(), after);
    }
    std::ofstream(copy + "/" + file) << text;
    auto loaded = pack::load_pack(copy);
    std::filesystem::remove_all(scratch);
    CHECK(loaded.value.has_value());
    return std::move(*loaded.value);
}

model::Cluster read_site_cluster(const std::string& text, const model::Pack& pack) {
    auto loaded = pack::read_cluster("/site/orders.yaml", text, pack);
    if (!loaded.value) {
        std::fprintf(stderr, "%s\n", loaded.diagnostics.text().c_str());
    }
    CHECK(loaded.value.has_value());
    return std::move(*loaded.value);
}

void Fixture::set(const std::string& member, const std::string& fact, const Json& value) {
    facts[model::fact_key(member, fact)] = {value.is_null() ? model::ObservationStatus::absent
                                                            : model::ObservationStatus::known,
                                            value,
                                            "the test",
                                            0};
}

void Fixture::set_unknown(const std::string& member, const std::string& fact) {
    facts[model::fact_key(member, fact)] = {model::ObservationStatus::unknown, {}, "timed out", 0};
}

Compiled Fixture::compile(const std::string& from,
                          const std::string& to,
                          const std::string& procedure,
                          const std::optional<model::ReturnPointHint>& hint) const {
    return planner::compile(
        {pack, cluster, facts, procedure, from, to, name_of_kind(procedure), "", "", hint});
}

std::function<Result<model::Plan>(const model::FactBook&)>
downgrades_of(const Fixture& site, const std::string& from, const std::string& to) {
    return [&site, from, to](const model::FactBook& facts) -> Result<model::Plan> {
        Fixture then = site;
        then.facts = facts;
        auto downgrade = then.compile(to, from, "downgrade");
        return downgrade.plan ? Result<model::Plan>(std::move(*downgrade.plan))
                              : tl::unexpected(downgrade.problems.front());
    };
}

Fixture etcd_site(int members, const std::string& version, int leader) {
    Fixture site;
    site.pack = load_site_pack("packs/etcd");
    std::string text(k_etcd);
    for (int i = 1; i <= members; ++i) {
        text += fmt::format("  - {{role: member, name: m{0}, settings: {{client_url: "
                            "\"http://127.0.0.1:{1}\", peer_url: \"http://127.0.0.1:{2}\"}}}}\n",
                            i,
                            2000 + i,
                            3000 + i);
    }
    site.cluster = read_site_cluster(text, site.pack);
    for (int i = 1; i <= members; ++i) {
        set_member(site, i, version, leader);
    }
    site.set("", "level", version.substr(0, 3) + ".0");
    return site;
}

void stop(Fixture& site, const std::string& member) {
    site.set(member, "service", "stopped");
    site.set(member, "running", {});
    site.set(member, "ready", {});
    site.set(member, "is_leader", {});
}

void install(Fixture& site, const std::string& member, const std::string& version) {
    site.set(member, "installed", version);
}

void start(Fixture& site, const std::string& member, const std::string& version) {
    site.set(member, "service", "running");
    site.set(member, "running", version);
    site.set(member, "ready", true);
    const auto leads = site.facts.find(model::fact_key(member, "is_leader"));
    if (leads != site.facts.end() && leads->second.status != model::ObservationStatus::known) {
        site.set(member, "is_leader", false);
    }
}

Fixture offline_site(const std::string& version, const OfflineSizes& sizes) {
    Fixture site;
    site.pack = load_site_pack("tests/packs/offline");
    std::string text;
    for (const char c : k_offline) {
        text += c == '&' ? std::string(k_offline_role) : std::string(1, c);
    }
    const std::tuple<const char*, char, int> roles[] = {{"keeper", 'k', sizes.keepers},
                                                        {"node", 'n', sizes.nodes},
                                                        {"names", 'o', sizes.names},
                                                        {"viewer", 'v', sizes.viewers}};
    for (const auto& [role, letter, count] : roles) {
        for (int i = 1; i <= count; ++i) {
            text += fmt::format("  - {{role: {}, name: {}{}}}\n", role, letter, i);
        }
    }
    site.cluster = read_site_cluster(text, site.pack);
    const bool old = version.starts_with("1");
    for (const model::Member& member : site.cluster.members) {
        install(site, member.name, version);
        start(site, member.name, version);
        site.set(member.name, "format", old ? "4" : "10");
        site.set(member.name, "own_format", old ? "3" : "9");
        site.set(member.name, "writes", "accepted");
    }
    site.set("", "meta_level", old ? "4" : "10");
    site.set("", "names_level", old ? "3" : "9");
    return site;
}

Fixture small_site(const std::string& pack, int members, const std::string& version) {
    Fixture site;
    site.pack = load_site_pack("tests/packs/" + pack);
    std::string text = fmt::format("{}system: {}\nmembers:\n", k_small, pack);
    for (int i = 1; i <= members; ++i) {
        text += fmt::format("  - {{role: node, name: m{}}}\n", i);
    }
    site.cluster = read_site_cluster(text, site.pack);
    for (int i = 1; i <= members; ++i) {
        install(site, name_of(i), version);
        start(site, name_of(i), version);
    }
    return site;
}

std::string text(const Compiled& compiled) {
    std::string all;
    for (const Error& error : compiled.problems) {
        all += error.text() + "\n";
    }
    return all;
}

std::string outline(const model::Plan& plan) {
    std::string out = fmt::format(
        "{} {} {} -> {}", plan.system, plan.procedure, plan.from_version, plan.to_version);
    for (const model::PlanRole& role : plan.roles) {
        out += fmt::format("; members {}; quorum {}", fmt::join(role.members, " "), role.quorum);
    }
    out += "\n";
    for (const model::Action& action : plan.actions) {
        std::vector<std::string> after;
        for (const std::size_t before : action.predecessors) {
            after.push_back(plan.actions[before].id);
        }
        out += fmt::format("{}{}{} | after {} | {} guards\n",
                           action.id,
                           action.is_gate() ? " GATE " + action.gate : "",
                           action.is_point_of_no_return ? ", no return behind it" : "",
                           after.empty() ? "nothing" : fmt::format("{}", fmt::join(after, ", ")),
                           action.preconditions.size());
    }
    const model::ReturnPoint& point = plan.point_of_no_return;
    out += point.exists ? fmt::format("no return: {} ({} of {}, {}), gate {}\n  {}\n",
                                      point.action,
                                      point.law,
                                      point.store,
                                      point.source,
                                      point.gate,
                                      point.because)
                        : "no return: none\n";
    for (const model::RecoveryOption& way : plan.ways_back) {
        out += fmt::format(
            "way back {}: {}; {}; {}\n", way.phase, name_of(way.kind), way.cost, way.command);
    }
    for (const model::RiskNote& risk : plan.risks) {
        out += fmt::format("risk {}: {}\n", risk.id, name_of(risk.state));
    }
    for (const std::string& note : plan.notes) {
        out += fmt::format("note: {}\n", note);
    }
    return out;
}

}  // namespace drydock::planner
