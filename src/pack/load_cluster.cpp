// The cluster file: hosts, policy, own releases, and members by way of read_member.cpp.
//
// The document is checked against the schema first. Its own releases are added to a copy of the
// pack. Then hosts, policy and members are read, and the members are compared (check_members.cpp).
// Reading continues after problems, so that one run reports all of them. Defaults that depend on a
// host (its state directory, the path of backups) are filled in here: behind this file a path is
// absolute.
#include "base/text.h"
#include "pack/buckets.h"
#include "pack/cluster_reader.h"
#include "pack/files.h"
#include "pack/inventory.h"
#include "pack/load.h"
#include "pack/pack_reader.h"
#include "pack/schemas.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

std::string ClusterReader::absolute(const std::string& path) const {
    return path_from(folder, path);
}

namespace {

// A name that begins like an option would be one.
std::string read_ssh_name(const Node& node, ClusterReader& reader) {
    std::string name = text_of(node);
    const bool is_given = node.kind == Node::Kind::scalar;  // else the schema has said so
    if (is_given && (name.empty() || name.starts_with('-'))) {
        reader.error("value.wrong",
                     node.position,
                     fmt::format("`{}` is no name of a host", name),
                     "write it as in `ssh NAME`");
    }
    return name;
}

// The default of a host's state directory depends on how the host is reached.
void read_hosts(const Node& hosts, ClusterReader& reader) {
    if (hosts.kind == Node::Kind::map && hosts.entries.empty()) {
        reader.error("host.none",
                     hosts.position,
                     "a cluster without hosts",
                     "add them, as in `a: {connect: local}`");
    }
    for (const Entry& entry : hosts.entries) {
        model::Host host;
        host.name = entry.key;
        const Node& connect = entry.value["connect"];
        const bool local = connect.kind != Node::Kind::list && connect.kind != Node::Kind::map;
        host.connect =
            connect.kind == Node::Kind::list ? texts_of(connect) : std::vector<std::string>();
        if (connect.kind == Node::Kind::map) {
            host.connect = {"ssh:", read_ssh_name(connect["ssh"], reader)};
        }
        if (!local && host.connect.empty()) {
            reader.error("value.wrong",
                         connect.position,
                         "an empty command leads nowhere",
                         "expected `local`, or a command as in [ssh, a.example.org]");
        }
        host.become = texts_of(entry.value["become"]);
        host.agent = text_of(entry.value["agent"]);
        for (const Entry& label : entry.value["labels"].entries) {
            host.labels[label.key] = text_of(label.value);
        }
        const std::string usual =
            local ? reader.cluster.state_dir + "/hosts/" + host.name : "/var/lib/drydock";
        host.state_dir = reader.absolute(text_of(entry.value["state"], usual));
        reader.cluster.hosts[host.name] = std::move(host);
    }
}

// Adds the hosts of an inventory; those under `hosts:` win. Returns the names that it added.
std::set<std::string> add_inventory(const Node& node, ClusterReader& reader) {
    std::set<std::string> added;
    const std::string file = reader.absolute(text_of(node["file"]));
    const auto text = node["file"].kind == Node::Kind::scalar ? read_text(file, reader.diagnostics)
                                                              : std::nullopt;
    if (!text) {
        return added;
    }
    for (InventoryHost& found :
         read_inventory(file, *text, text_of(node["group"], "all"), reader.diagnostics)) {
        model::Host host;
        host.name = found.name;
        host.become = node.has("become") ? texts_of(node["become"]) : std::move(found.become);
        host.agent = text_of(node["agent"]);
        const std::string usual = found.connect.empty()
                                      ? reader.cluster.state_dir + "/hosts/" + host.name
                                      : "/var/lib/drydock";
        host.state_dir = reader.absolute(text_of(node["state"], usual));
        host.connect = std::move(found.connect);
        if (reader.cluster.hosts.emplace(host.name, host).second) {
            added.insert(host.name);
        }
    }
    return added;
}

// An inventory has hosts of many clusters. Only those with members are ever contacted.
void drop_unused(const std::set<std::string>& added, model::Cluster& cluster) {
    std::set<std::string> used;
    for (const model::Member& member : cluster.members) {
        used.insert(member.host);
    }
    for (const std::string& name : added) {
        if (!used.contains(name)) {
            cluster.hosts.erase(name);
        }
    }
}

void read_policy(const Node& node, ClusterReader& reader) {
    model::Policy& policy = reader.cluster.policy;
    // Bounds keep a large number from overflowing an int.
    const auto small = [](const Node& number, int usual) {
        return static_cast<int>(std::min<std::int64_t>(integer_of(number, usual), 100'000));
    };
    policy.max_unavailable = small(node["max_unavailable"], policy.max_unavailable);
    policy.soak_ms = duration_of(node["soak"], policy.soak_ms);
    policy.on_failure =
        model::k_failure_policies.parse(text_of(node["on_failure"])).value_or(policy.on_failure);
    if (const std::string allowed = text_of(node["signatures"]["allowed"]); !allowed.empty()) {
        policy.allowed_signers = reader.absolute(allowed);
    }
    policy.signature_required =
        boolean_of(node["signatures"]["required"], policy.signature_required);
    policy.backup_keep = small(node["backups"]["keep"], policy.backup_keep);
    const auto& hosts = reader.cluster.hosts;
    // Backups of a cluster on this machine alone go below its state directory, which needs no root.
    const bool all_here = std::all_of(
        hosts.begin(), hosts.end(), [](const auto& host) { return host.second.connect.empty(); });
    const std::string usual =
        all_here ? reader.cluster.state_dir + "/backups" : "/var/lib/drydock/backups";
    policy.backup_path = reader.absolute(text_of(node["backups"]["path"], usual));
}

// read_cluster() takes any pack; this check finds a pack of another system.
void check_system(const Node& node, ClusterReader& reader) {
    if (node.kind == Node::Kind::scalar && node.scalar != reader.pack.name) {
        reader.error(
            "system.unknown",
            node.position,
            fmt::format("system `{}`, but the pack is `{}`", node.scalar, reader.pack.name),
            fmt::format("write `system: {}`, or use the other pack", reader.pack.name));
    }
}

bool check_roles(const Node& roles, ClusterReader& reader) {
    bool are_known = true;
    for (const Entry& entry : roles.entries) {
        if (!reader.pack.roles.contains(entry.key)) {
            report_unknown_name(
                reader.diagnostics, entry.position, "role", entry.key, keys_of(reader.pack.roles));
            are_known = false;
        }
    }
    return are_known;
}

// Own releases are read like the pack's, on top of them: they inherit the format support of their
// series.
void read_releases(const Node& releases,
                   model::Pack& pack,
                   model::Cluster& cluster,
                   Diagnostics& diagnostics) {
    PackReader reader{pack, diagnostics};
    read_own_releases(releases, reader);
    for (const Entry& entry : releases.entries) {
        cluster.releases.insert(*pack.releases.find(entry.key));
    }
}

void read_document(const Node& document, ClusterReader& reader) {
    model::Cluster& cluster = reader.cluster;
    cluster.name = text_of(document["cluster"]);
    cluster.system = text_of(document["system"]);
    cluster.state_dir = reader.absolute(text_of(document["state"], cluster.name + ".state"));
    check_system(document["system"], reader);
    read_hosts(document["hosts"], reader);
    const auto from_inventory = add_inventory(document["inventory"], reader);
    // A key that is misspelt was reported already.
    const bool is_whole = !reader.diagnostics.has_errors();
    if (is_whole && !document.has("hosts") && !document.has("inventory")) {
        reader.error("key.missing",
                     document.position,
                     "the file has no `hosts` (the machines)",
                     "add it, as in `hosts: {a: {connect: local}}`");
    }
    read_policy(document["policy"], reader);
    check_buckets(document["buckets"], reader.diagnostics);
    if (!check_roles(document["roles"], reader)) {
        return;  // every member of a misspelt role would seem to lack its settings
    }
    for (const Entry& entry : document["members"].entries) {
        const Node& role = document["roles"][text_of(entry.value["role"])];
        read_member(entry.value, role, reader);
    }
    drop_unused(from_inventory, cluster);
    check_members(document, reader);
}

}  // namespace

Loaded<model::Cluster> read_cluster(const std::string& file,
                                    std::string_view text,
                                    const model::Pack& pack,
                                    HostUse hosts) {
    Loaded<model::Cluster> loaded;
    model::Cluster& cluster = loaded.value.emplace();
    cluster.file = file;
    const auto documents = parse_yaml(text, file, false, loaded.diagnostics);
    if (!documents.empty()) {
        check(documents.front(), cluster_file_schema(), "the file", loaded.diagnostics);
        // The copy keeps the caller's pack unchanged.
        model::Pack extended_pack = pack;
        read_releases(documents.front()["releases"], extended_pack, cluster, loaded.diagnostics);
        ClusterReader reader{cluster, extended_pack, folder_of(file), loaded.diagnostics, hosts};
        if (documents.front().kind == Node::Kind::map) {
            read_document(documents.front(), reader);
        }
    }
    finish(loaded.diagnostics);
    if (loaded.diagnostics.has_errors()) {
        loaded.value.reset();
    }
    return loaded;
}

Loaded<model::Cluster>
load_cluster(const std::string& file, const model::Pack& pack, HostUse hosts) {
    Diagnostics unreadable;
    const auto text = read_text(file, unreadable);
    if (!text) {
        return {std::nullopt, std::move(unreadable)};
    }
    return read_cluster(file, *text, pack, hosts);
}

// Runs before the pack is known, so that no schema can be checked: only one key is read.
Result<std::string> cluster_system(const std::string& file) {
    Diagnostics diagnostics;
    const auto text = read_text(file, diagnostics);
    const auto documents = text ? parse_yaml(*text, file, false, diagnostics) : std::vector<Node>();
    if (documents.empty()) {
        const Diagnostic& first = diagnostics.all().front();
        return fail(first.code,
                    fmt::format("{}: {}", first.position.text(), first.summary),
                    first.suggestion);
    }
    std::string system = text_of(documents.front()["system"]);
    if (system.empty()) {
        return fail("key.missing",
                    fmt::format("{} does not say which system it is a cluster of", file),
                    "add a line `system: etcd`");
    }
    return system;
}

}  // namespace drydock::pack
