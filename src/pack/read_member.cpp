// One member of a cluster file. The entries of the role and of the member are merged, ${names} are
// replaced, and paths become absolute. The service and the release take the agent's form.
#include "pack/cluster_reader.h"
#include "pack/member_settings.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

namespace drydock::pack {

namespace {

class MemberReader {
public:
    MemberReader(const Node& node, const Node& role, ClusterReader& reader)
        : node_(node)
        , role_(role)
        , reader_(reader)
        , settings_(node, role, member_, reader) {}

    void read() {
        member_.role = text_of(node_["role"]);
        member_.name = text_of(node_["name"]);
        member_.side = text_of(node_["side"]);
        member_.position = node_.position;
        if (!check_role()) {
            return;
        }
        read_host();
        settings_.read();
        read_release();
        read_service();
        settings_.report_unused();
        reader_.cluster.members.push_back(std::move(member_));
    }

private:
    // Service, release and host are inherited as a whole: a member that names its own replaces the
    // role's.
    const Node& inherited(const char* key) const {
        return node_.has(key) ? node_[key] : role_[key];
    }

    bool check_role() {
        const bool is_known = reader_.pack.roles.count(member_.role) > 0;
        if (!is_known && node_["role"].kind == Node::Kind::scalar) {
            report_unknown_name(reader_.diagnostics,
                                node_["role"].position,
                                "role",
                                member_.role,
                                keys_of(reader_.pack.roles));
        }
        return is_known;
    }

    void read_host() {
        const Node& host = inherited("host");
        member_.host = text_of(host);
        if (host.kind == Node::Kind::nothing) {
            reader_.error("key.missing",
                          node_.position,
                          fmt::format("{} has no `host`, and its role names none", member_.name),
                          "add it, as in `host: a`");
        } else if (reader_.cluster.hosts.count(member_.host) == 0
                   && !reader_.cluster.hosts.empty()) {
            report_unknown_name(reader_.diagnostics,
                                host.position,
                                "host",
                                member_.host,
                                keys_of(reader_.cluster.hosts));
        }
        read_labels();
    }

    // The labels of the host, with the member's own on top.
    void read_labels() {
        if (const auto host = reader_.cluster.hosts.find(member_.host);
            host != reader_.cluster.hosts.end()) {
            member_.labels = host->second.labels;
        }
        for (const Entry& label : node_["labels"].entries) {
            member_.labels[label.key] = text_of(label.value);
        }
    }

    std::string replaced(const Node& node) {
        return settings_.replaced(text_of(node), node.position);
    }

    std::string path(const Node& node) {
        const std::string value = replaced(node);
        return value.empty() ? value : reader_.absolute(value);
    }

    // A program that begins with "./" is relative to the cluster file, as other paths are.
    // Arguments stay as they are: only their program knows which of them are paths.
    Json argv(const Node& node) {
        Json::Array items;
        for (const Node* item : items_of(node)) {
            const std::string value = replaced(*item);
            const bool relative = items.empty() && value.substr(0, 2) == "./";
            items.emplace_back(relative ? reader_.absolute(value) : value);
        }
        if (items.empty() && node.kind == Node::Kind::list) {
            reader_.error(
                "value.wrong", node.position, "an empty command", "expected [program, ...]");
        }
        return items;
    }

    // A release is a directory for each version and a symlink to the installed one.
    void read_release() {
        const Node& release = inherited("release");
        if (release.kind == Node::Kind::nothing) {
            if (model::needs_release(reader_.pack, member_.role)) {
                settings_.report_no_release();
            }
            return;
        }
        if (release.has("package")) {
            return reader_.error("build.package",
                                 release["package"].position,
                                 "package releases are not in this build yet",
                                 "`link` with `versions` is");
        }
        member_.link = settings_.release_link();
        for (const Entry& entry : release["versions"].entries) {
            if (reader_.pack.releases.count(entry.key) == 0
                && reader_.cluster.releases.count(entry.key) == 0) {
                report_unknown_name(reader_.diagnostics,
                                    entry.position,
                                    "release",
                                    entry.key,
                                    keys_of(reader_.pack.releases));
            }
            member_.versions[entry.key] = path(entry.value);
        }
        if (release.has("venv")) {
            read_venv(release["venv"]);
        }
        if (release.has("link") && member_.versions.empty()) {
            reader_.error("key.missing",
                          release.position,
                          "`link` without the folder of any release",
                          "add `versions: {\"1.2.3\": /opt/x-1.2.3}`");
        }
    }

    // Pins belong to releases of `versions`: each environment is made for one release.
    void read_venv(const Node& node) {
        Json pins = Json::Object{};
        for (const Entry& entry : node["pins"].entries) {
            if (member_.versions.count(entry.key) == 0) {
                report_unknown_name(reader_.diagnostics,
                                    entry.position,
                                    "release of `versions`",
                                    entry.key,
                                    keys_of(member_.versions));
            }
            pins.set(entry.key, path(entry.value));
        }
        member_.venv.set("python", replaced(node["python"])).set("pins", std::move(pins));
        member_.venv.set("env", environment(node["env"]));
        if (node.has("wheels")) {
            member_.venv.set("wheels", path(node["wheels"]));
        }
        if (node.has("check")) {
            member_.venv.set("check", argv(node["check"]));
        }
    }

    Json environment(const Node& node) {
        Json env = Json::Object{};
        for (const Entry& entry : node.entries) {
            env.set(entry.key, replaced(entry.value));
        }
        return env;
    }

    void read_service() {
        const Node& service = inherited("service");
        if (service.has("process")) {
            member_.service = process(service["process"]);
        } else if (service.has("command")) {
            member_.service = command(service["command"]);
        } else if (service.has("systemd")) {
            member_.service.set("type", "systemd").set("unit", replaced(service["systemd"]));
        } else if (service.kind == Node::Kind::nothing
                   && model::needs_service(reader_.pack, member_.role)) {
            reader_.error(
                "key.missing",
                node_.position,
                fmt::format("{} does not say how it is started and stopped", member_.name),
                "add `service: {process: ...}`, `{systemd: UNIT}` or `{command: ...}` to it or its "
                "role");
        }
    }

    // Returns the folders that the member's program may lie in. The agent takes no other process
    // for it.
    Json release_folders() const {
        Json::Array folders;
        for (const auto& [version, folder] : member_.versions) {
            folders.emplace_back(folder);
        }
        return folders;
    }

    // The agent starts the process itself. `title` is for programs that rename themselves: then the
    // working directory identifies the member, so it must be given.
    Json process(const Node& node) {
        Json json;
        json.set("type", "process");
        json.set("argv", argv(node["argv"]));
        json.set("env", environment(node["env"]));
        json.set("releases", release_folders());
        if (node.has("title")) {
            json.set("title", replaced(node["title"]));
            if (!node.has("cwd")) {
                reader_.error("service.title",
                              node["title"].position,
                              "`title` without `cwd`: members of one kind would look the same",
                              "add `cwd`, the folder that only this member runs in");
            }
        }
        for (const char* key : {"cwd", "pid_file", "log"}) {
            if (node.has(key)) {
                json.set(key, path(node[key]));
            }
        }
        return json.set("stop", stop(node["stop"]));
    }

    // Durations that the file leaves out stay out. `within` then comes from the pack; without
    // `kill_after` there is no KILL.
    static Json stop(const Node& node) {
        Json json;
        json.set("signal", text_of(node["signal"], "TERM"));
        if (node.has("within")) {
            json.set("within_ms", duration_of(node["within"]));
        }
        if (node.has("kill_after")) {
            json.set("kill_after_ms", duration_of(node["kill_after"]));
        }
        return json;
    }

    Json command(const Node& node) {
        Json json;
        json.set("type", "command");
        for (const char* key : {"start", "stop", "status"}) {
            json.set(key, argv(node[key]));
        }
        return json;
    }

    const Node& node_;
    const Node& role_;
    ClusterReader& reader_;
    model::Member member_;
    MemberSettings settings_;
};

}  // namespace

void read_member(const Node& node, const Node& role, ClusterReader& reader) {
    MemberReader(node, role, reader).read();
}

}  // namespace drydock::pack
