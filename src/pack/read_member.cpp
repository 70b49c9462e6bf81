// One member of a cluster file. The entries of the role and of the member are merged, ${names} are
// replaced, and paths become absolute. The service and the release take the agent's form.
//
// Settings have three levels: the pack's default, the role, the member; the last one present wins.
// Settings may use each other, so they are resolved on demand, depth first, with the path of names
// under way to detect cycles. The release's symlink takes part in this as a setting called
// `release`. Secrets are never read here: a setting keeps a reference ${secret:LEVEL.NAME}. The
// size of replaced texts is limited, because settings that use each other grow exponentially.
#include "base/text.h"
#include "pack/cluster_reader.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace drydock::pack {

namespace {

constexpr std::size_t k_expanded_bytes_max = 64U << 10U;      // bytes of one string
constexpr std::size_t k_expanded_bytes_max_all = 16U << 20U;  // 1000 members take under 1 MiB

// Accepts http and https with a host and an optional port from 1 to 65535.
bool is_url(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (text.substr(0, scheme.size()) != scheme) {
            continue;
        }
        const std::string_view rest = text.substr(scheme.size());
        const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
        const auto colon = host.rfind(':');
        const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
        const std::string_view port = has_port ? host.substr(colon + 1) : "80";
        int number = 0;
        const auto end = std::from_chars(port.data(), port.data() + port.size(), number);
        return !host.empty() && colon != 0 && end.ptr == port.data() + port.size() && number > 0
               && number < 65536 && rest.find_first_of(" \t\"") == rest.npos;
    }
    return false;
}

bool is_integer(const std::string& text) {
    std::int64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

class MemberReader {
public:
    MemberReader(const Node& node, const Node& role, ClusterReader& reader)
        : node_(node)
        , role_(role)
        , reader_(reader) {}

    void read() {
        member_.role = text_of(node_["role"]);
        member_.name = text_of(node_["name"]);
        member_.side = text_of(node_["side"]);
        member_.position = node_.position;
        if (!check_role()) {
            return;
        }
        read_host();
        collect_settings();
        resolve_settings();
        read_release();
        read_service();
        report_unused();
        reader_.cluster.members.push_back(std::move(member_));
    }

private:
    // A setting before its ${names} are replaced.
    struct RawSetting {
        const Node* node = nullptr;  // null: the pack's default
        std::string text;
        std::string level;  // the role's or the member's name: part of a secret's id
        Position position;
    };

    // Service, release and host are inherited as a whole: a member that names its own replaces the
    // role's.
    const Node& inherited(const char* key) const {
        return node_.has(key) ? node_[key] : role_[key];
    }

    const std::map<std::string, model::SettingSpec>& declared() const {
        static const std::map<std::string, model::SettingSpec> k_none;
        const auto entry = reader_.pack.settings.find(member_.role);
        return entry == reader_.pack.settings.end() ? k_none : entry->second;
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

    // The map is filled from the weakest level to the strongest. Missing settings are remembered,
    // so that their use in a ${name} is not reported again.
    void collect_settings() {
        for (const auto& [name, spec] : declared()) {
            if (!spec.fallback.empty()) {
                raw_[name] = {nullptr, spec.fallback, "", spec.position};
            }
        }
        for (const auto& [node, level] : {std::pair(&role_["settings"], member_.role),
                                          std::pair(&node_["settings"], member_.name)}) {
            for (const Entry& entry : node->entries) {
                raw_[entry.key] = {&entry.value, text_of(entry.value), level, entry.value.position};
            }
        }
        for (const auto& [name, spec] : declared()) {
            if (spec.required && raw_.count(name) == 0) {
                const std::string help = spec.help.empty() ? "" : " (" + spec.help + ")";
                reader_.error("setting.missing",
                              node_.position,
                              fmt::format("{} has no setting `{}`{}", member_.name, name, help),
                              fmt::format("add it under `settings`; expected a {}", spec.type));
                missing_.insert(name);
            }
        }
    }

    void resolve_settings() {
        for (const auto& [name, raw] : raw_) {
            setting(name);
        }
    }

    // Returns the value of a setting after resolving the settings that it uses. A cycle is reported
    // once.
    std::string setting(const std::string& name) {
        if (const auto resolution = member_.settings.find(name);
            resolution != member_.settings.end()) {
            return resolution->second;
        }
        const RawSetting& raw = raw_.at(name);
        if (std::find(path_.begin(), path_.end(), name) != path_.end()) {
            reader_.error(
                "setting.circle",
                raw.position,
                fmt::format(
                    "the setting `{}` needs itself: {} -> {}", name, join(path_, " -> "), name),
                "write one of them out");
            return "";
        }
        path_.push_back(name);
        const bool secret = raw.node != nullptr && raw.node->has("secret");
        std::string value = secret ? read_secret(name, raw) : replaced(raw.text, raw.position);
        path_.pop_back();
        if (!secret && raw.position.line > 0) {
            value = check_type(name, value, raw);
        }
        return member_.settings[name] = value;
    }

    // The reference goes into plans and journals in place of the secret. Its id names the level,
    // because a role and a member may give one setting different secrets.
    std::string read_secret(const std::string& name, const RawSetting& raw) {
        const std::string id = raw.level + "." + name;
        for (const Entry& way : (*raw.node)["secret"].entries) {
            std::vector<std::string> arguments = texts_of(way.value);
            const auto kind =
                model::k_secret_kinds.parse(way.key).value_or(model::SecretKind::file);
            if (kind == model::SecretKind::file && !arguments.empty()) {
                arguments = {reader_.absolute(arguments.front())};
            }
            reader_.cluster.secrets[id] = {kind, std::move(arguments)};
        }
        return "${secret:" + id + "}";
    }

    // Checks the value against its declared type, and makes a path absolute. Undeclared settings
    // are texts.
    std::string
    check_type(const std::string& name, const std::string& value, const RawSetting& raw) {
        const auto spec = declared().find(name);
        const std::string type = spec == declared().end() ? "text" : spec->second.type;
        if (type == "path") {
            return value.empty() ? value : reader_.absolute(value);
        }
        if ((type == "url" && !is_url(value)) || (type == "integer" && !is_integer(value))) {
            reader_.error("setting.type",
                          raw.position,
                          fmt::format("`{}` is `{}`, which is no {}", name, value, type),
                          type == "url" ? "expected a URL, as in http://127.0.0.1:2379"
                                        : "expected a whole number, as in 100000");
        }
        return value;
    }

    // Returns the release's symlink. It may use settings, and settings may use it, but not in a
    // cycle.
    std::string release_link() {
        if (inherited("release").kind == Node::Kind::nothing) {
            report_no_release();
            return "";
        }
        const Node& link = inherited("release")["link"];
        if (std::find(path_.begin(), path_.end(), "release") != path_.end()) {
            reader_.error("setting.circle",
                          link.position,
                          fmt::format("the link needs itself: {} -> release", join(path_, " -> ")),
                          "write one of them out");
            return "";
        }
        if (member_.link.empty()) {
            path_.emplace_back("release");
            const std::string value = replaced(text_of(link), link.position);
            path_.pop_back();
            member_.link = value.empty() ? "" : reader_.absolute(value);
        }
        return member_.link;
    }

    // Replaces the ${names} in a string of this member, and records them as used (see
    // report_unused()).
    std::string replaced(const std::string& text, const Position& position) {
        const auto result = interpolate(text, [&](std::string_view view) -> Result<std::string> {
            const std::string name(view);
            used_.insert(name);
            if (name == "member") {
                return member_.name;
            }
            if (name == "host") {
                return member_.host;
            }
            if (name == "release") {
                return release_link();
            }
            if (raw_.count(name) > 0) {
                return setting(name);
            }
            if (missing_.count(name) == 0) {
                std::vector<std::string> known_names = keys_of(raw_);
                known_names.emplace_back("member");
                known_names.emplace_back("host");
                known_names.emplace_back("release");
                reader_.error("name.unknown",
                              position,
                              fmt::format("`${{{}}}` is not known here", name),
                              suggest(name, known_names));
            }
            return std::string();
        });
        if (!result) {
            reader_.error("name.open", position, result.error().message, result.error().remedy);
        }
        return limit_size(result.value_or(""), position);
    }

    // Settings that use each other may grow without bound. In a chain of ten settings, each with
    // ten references to the next, the first becomes 10^9 texts.
    std::string limit_size(std::string value, const Position& position) {
        reader_.expanded_bytes += value.size();
        const bool one_too_long = value.size() > k_expanded_bytes_max;
        if (one_too_long || reader_.expanded_bytes > k_expanded_bytes_max_all) {
            reader_.error("setting.too_long",
                          position,
                          one_too_long
                              ? fmt::format("this becomes {} bytes long", value.size())
                              : std::string("the settings of this file become too long in all"),
                          fmt::format("at most {} KiB each, and {} MiB in all",
                                      k_expanded_bytes_max >> 10U,
                                      k_expanded_bytes_max_all >> 20U));
            value.clear();
        }
        return value;
    }

    std::string replaced(const Node& node) { return replaced(text_of(node), node.position); }

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

    // Reports it once, whether the pack needs the release or a ${release} of the cluster file does.
    void report_no_release() {
        if (missing_.insert("release").second) {
            reader_.error(
                "key.missing",
                node_.position,
                fmt::format("{} does not say how a release is put in place", member_.name),
                "add `release: {link: ..., versions: {...}}` to it or its role");
        }
    }

    // A release is a directory for each version and a symlink to the installed one.
    void read_release() {
        const Node& release = inherited("release");
        if (release.kind == Node::Kind::nothing) {
            if (model::needs_release(reader_.pack, member_.role)) {
                report_no_release();
            }
            return;
        }
        if (release.has("package")) {
            return reader_.error("build.package",
                                 release["package"].position,
                                 "package releases are not in this build yet",
                                 "`link` with `versions` is");
        }
        member_.link = release_link();
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
            reader_.error("build.systemd",
                          service["systemd"].position,
                          "systemd services are not in this build yet",
                          "`process` and `command` are");
        } else if (service.kind == Node::Kind::nothing
                   && model::needs_service(reader_.pack, member_.role)) {
            reader_.error(
                "key.missing",
                node_.position,
                fmt::format("{} does not say how it is started and stopped", member_.name),
                "add `service: {process: ...}` or `service: {command: ...}` to it or its role");
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

    // Reports settings that the pack does not declare and no ${name} of the member uses:
    // misspellings.
    void report_unused() {
        for (const auto& [name, raw] : raw_) {
            if (declared().count(name) == 0 && used_.count(name) == 0) {
                reader_.error("setting.unused",
                              raw.position,
                              fmt::format("the setting `{}` is used by nothing", name),
                              suggest(name, keys_of(declared())));
            }
        }
    }

    const Node& node_;
    const Node& role_;
    ClusterReader& reader_;
    model::Member member_;
    std::map<std::string, RawSetting> raw_;
    std::set<std::string> missing_;  // reported once, not again where they are used
    std::set<std::string> used_;
    std::vector<std::string> path_;
};

}  // namespace

void read_member(const Node& node, const Node& role, ClusterReader& reader) {
    MemberReader(node, role, reader).read();
}

}  // namespace drydock::pack
