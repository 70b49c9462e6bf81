// Resolves settings and ${names} on demand. Every problem is reported once, at the place of the
// text that needs the name.
#include "pack/member_settings.h"

#include "base/text.h"
#include "pack/value_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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

}  // namespace

const std::map<std::string, model::SettingSpec>& MemberSettings::declared() const {
    static const std::map<std::string, model::SettingSpec> k_none;
    const auto entry = reader_.pack.settings.find(member_.role);
    return entry == reader_.pack.settings.end() ? k_none : entry->second;
}

// The map is filled from the weakest level to the strongest. Missing settings are remembered,
// so that their use in a ${name} is not reported again.
void MemberSettings::collect() {
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

void MemberSettings::read() {
    collect();
    for (const auto& [name, raw] : raw_) {
        setting(name);
    }
}

// Returns the value of a setting after resolving the settings that it uses. A cycle is reported
// once.
std::string MemberSettings::setting(const std::string& name) {
    if (const auto resolution = member_.settings.find(name); resolution != member_.settings.end()) {
        return resolution->second;
    }
    const RawSetting& raw = raw_.at(name);
    if (std::find(path_.begin(), path_.end(), name) != path_.end()) {
        reader_.error(
            "setting.circle",
            raw.position,
            fmt::format("the setting `{}` needs itself: {} -> {}", name, join(path_, " -> "), name),
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
std::string MemberSettings::read_secret(const std::string& name, const RawSetting& raw) {
    const std::string id = raw.level + "." + name;
    for (const Entry& way : (*raw.node)["secret"].entries) {
        std::vector<std::string> arguments = texts_of(way.value);
        const auto kind = model::k_secret_kinds.parse(way.key).value_or(model::SecretKind::file);
        if (kind == model::SecretKind::file && !arguments.empty()) {
            arguments = {reader_.absolute(arguments.front())};
        }
        reader_.cluster.secrets[id] = {kind, std::move(arguments)};
    }
    return "${secret:" + id + "}";
}

// Checks the value against its declared type, and makes a path absolute. Undeclared settings
// are texts.
std::string MemberSettings::check_type(const std::string& name,
                                       const std::string& value,
                                       const RawSetting& raw) {
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

void MemberSettings::report_no_release() {
    if (missing_.insert("release").second) {
        reader_.error("key.missing",
                      node_.position,
                      fmt::format("{} does not say how a release is put in place", member_.name),
                      "add `release: {link: ..., versions: {...}}` to it or its role");
    }
}

std::string MemberSettings::release_link() {
    const Node& release = node_.has("release") ? node_["release"] : role_["release"];
    if (release.kind == Node::Kind::nothing) {
        report_no_release();
        return "";
    }
    const Node& link = release["link"];
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
std::string MemberSettings::replaced(const std::string& text, const Position& position) {
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
std::string MemberSettings::limit_size(std::string value, const Position& position) {
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

void MemberSettings::report_unused() {
    for (const auto& [name, raw] : raw_) {
        if (declared().count(name) == 0 && used_.count(name) == 0) {
            reader_.error("setting.unused",
                          raw.position,
                          fmt::format("the setting `{}` is used by nothing", name),
                          suggest(name, keys_of(declared())));
        }
    }
}

}  // namespace drydock::pack
