// Reads backy2's configuration and refuses settings that are dangerous to follow.
//
// A configuration may come from another host or another person. It names a server and files with
// keys, so it could send any readable file to a server of its author. Hence the rules: key files
// lie beside the configuration, and URLs have no user and only http or https. No message shows a
// value that may be a password.
//
// Names of settings changed between releases of backy2 (2.9 has host and port, 2.10 endpoint_url).
// All of them are read, so the configuration of any release works.
#include "mover/blocks/config.h"

#include "base/text.h"
#include "mover/blocks/blob.h"
#include "os/files.h"

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <map>
#include <optional>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_config_bytes_max = 1U << 20U;

constexpr std::size_t k_secret_bytes_max = 4096;

const std::string k_backends = "backy2.data_backends.";

using Section = std::map<std::string, std::string>;
using Sections = std::map<std::string, Section>;

tl::unexpected<Error> refuse(const std::string& message) {
    return fail(
        "blocks.config", message, "name backy2's own configuration, such as /etc/backy.cfg");
}

std::string lower(std::string text) {
    for (char& c : text) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return text;
}

// Splits the text into sections. A line that begins with a blank continues the value before it. A
// setting that occurs twice is an error, as in configparser.
Result<Sections> parse_sections(std::string_view text) {
    Sections sections;
    std::string section;
    std::string name;
    std::size_t number = 0;
    for (const std::string& line : split(text, '\n')) {
        ++number;
        const std::string bare = trim(line);
        if (bare.empty() || bare[0] == '#' || bare[0] == ';') {
            continue;
        }
        const bool goes_on = line[0] == ' ' || line[0] == '\t';
        if (goes_on && !name.empty()) {
            sections[section][name] += "\n" + bare;
        } else if (bare.front() == '[' && bare.back() == ']') {
            section = bare.substr(1, bare.size() - 2);
            name.clear();
        } else if (const auto end = bare.find_first_of(":="); end == std::string::npos) {
            return refuse(fmt::format("line {} is no setting", number));
        } else if (section.empty()) {
            return refuse(fmt::format("line {} stands before the first section", number));
        } else {
            name = lower(trim(bare.substr(0, end)));
            if (!sections[section].emplace(name, trim(bare.substr(end + 1))).second) {
                return refuse(fmt::format("line {} has [{}] {} again", number, section, name));
            }
        }
    }
    return sections;
}

// Undoes the doubling of percent signs. A single one begins a reference, which is refused.
Result<std::string> plain_value(const std::string& full_name, const std::string& raw) {
    std::string value;
    for (std::size_t i = 0; i < raw.size(); ++i) {
        value += raw[i];
        if (raw[i] != '%') {
            continue;
        }
        if (raw.substr(i, 2) != "%%") {
            return refuse(fmt::format("{} has a reference, and drydock follows none", full_name));
        }
        ++i;
    }
    return value;
}

// Returns a setting, or `otherwise` if it is absent. Without `otherwise` the setting is required.
Result<std::string> setting(const Sections& sections,
                            const std::string& section,
                            const std::string& name,
                            const std::optional<std::string>& otherwise = std::nullopt) {
    const std::string full_name = fmt::format("[{}] {}", section, name);
    const auto section_entry = sections.find(section);
    if (section_entry != sections.end() && section_entry->second.contains(name)) {
        return plain_value(full_name, section_entry->second.at(name));
    }
    if (otherwise) {
        return *otherwise;
    }
    return refuse(fmt::format("there is no setting {}", full_name));
}

Result<std::int64_t>
number_setting(const Sections& sections, const std::string& name, std::int64_t otherwise) {
    DRYDOCK_TRY_ASSIGN(const std::string text,
                       setting(sections, "DEFAULTS", name, std::to_string(otherwise)));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) {
        return refuse(fmt::format("[DEFAULTS] {} is no number", name));
    }
    return number;
}

// Refuses a user or password with a separator. With one, libpq would take a part of the password
// for a host, and ask name servers for it.
Status check_single_at_sign(const std::string& url) {
    const auto begin = url.find("://") + 3;
    const auto query = url.find('?', begin);
    const auto at_sign = url.rfind('@', query);
    const std::string user =
        at_sign == url.npos || at_sign < begin ? "" : url.substr(begin, at_sign - begin);
    if (user.find_first_of("@/?#") == user.npos) {
        return {};
    }
    return refuse("[MetaBackend] engine has a user or password with @, / or #: write them as %40, "
                  "%2F and %23");
}

// Reads SQLAlchemy's URLs: sqlite:///relative, sqlite:////absolute, postgresql+driver://...
Status take_engine(const std::string& url, StoreConfig& config) {
    const auto end = url.find("://");
    const std::string scheme = url.substr(0, end);
    if (end != std::string::npos && scheme == "sqlite" && url.substr(end, 4) == ":///") {
        config.metadata = url.substr(end + 4);
        return {};
    }
    if (end != std::string::npos
        && (scheme == "postgresql" || scheme.starts_with("postgresql+") || scheme == "postgres")) {
        config.engine = Engine::postgresql;
        config.metadata = "postgresql" + url.substr(end);
        return check_single_at_sign(config.metadata);
    }
    if (scheme.starts_with("mysql") || scheme.starts_with("mariadb")) {
        return fail(
            "blocks.config",
            "[MetaBackend] engine is MySQL, where no release of backy2 up to 2.13.8 can make "
            "its tables; drydock reads sqlite and postgresql",
            "export every version with the backy2 that reads them, and `drydock store "
            "import` them into a new store on SQLite or PostgreSQL");
    }
    // A text without `://` may contain a password anywhere, so it is not shown.
    return refuse(fmt::format(
        "[MetaBackend] engine is {}; drydock reads sqlite and postgresql",
        end == url.npos ? "no URL"
                        : "of the kind " + scheme.substr(0, scheme.find_first_of(":@/"))));
}

// Reads a key file beside the configuration. Its content is sent to the server that the same
// configuration names. So a foreign configuration may name only its own files. Links are resolved
// before the comparison.
Result<std::string>
read_beside(const std::string& folder, const std::string& name, const std::string& path) {
    const std::string real = os::real_path_of(path);
    const std::string home = os::real_path_of(folder.empty() ? "." : folder);
    if (!real.empty() && !real.starts_with(home == "/" ? home : home + "/")) {
        return fail("blocks.config",
                    fmt::format("[DataBackend] {} lies elsewhere than the configuration", name),
                    fmt::format("its content would go to the server that the configuration names: "
                                "if you trust both, put it below {}",
                                home));
    }
    return os::read_file(path, k_secret_bytes_max);
}

// Returns a secret: the setting itself, or the content of the file that NAME_file names.
Result<std::string>
secret_setting(const Sections& sections, const std::string& folder, const std::string& name) {
    DRYDOCK_TRY_ASSIGN(std::string value, setting(sections, "DataBackend", name, ""));
    if (!value.empty()) {
        return value;
    }
    DRYDOCK_TRY_ASSIGN(const std::string path, setting(sections, "DataBackend", name + "_file"));
    DRYDOCK_TRY_ASSIGN(const std::string text, read_beside(folder, name + "_file", path));
    return trim(text);
}

bool is_true(const std::string& value) {
    const std::string word = lower(value);
    return word == "1" || word == "yes" || word == "true" || word == "on";
}

std::string without_slashes(std::string url) {
    while (url.ends_with('/')) {
        url.pop_back();
    }
    return url;
}

// Returns the endpoint. s3 has endpoint_url from 2.10 on; 2.9 had host, port and is_secure; minio
// has host and secure.
Result<std::string> endpoint_setting(const Sections& sections, const S3Address& address) {
    const auto text = [&](const char* name) { return setting(sections, "DataBackend", name, ""); };
    DRYDOCK_TRY_ASSIGN(const std::string url, text("endpoint_url"));
    if (!url.empty()) {
        return without_slashes(url);
    }
    DRYDOCK_TRY_ASSIGN(const std::string host, text("host"));
    DRYDOCK_TRY_ASSIGN(const std::string port, text("port"));
    DRYDOCK_TRY_ASSIGN(const std::string is_secure, text("is_secure"));
    DRYDOCK_TRY_ASSIGN(const std::string secure, text("secure"));
    if (host.empty()) {
        return fmt::format("https://s3{}.amazonaws.com",
                           address.region.empty() ? "" : "." + address.region);
    }
    return fmt::format("{}://{}{}",
                       is_true(is_secure) || is_true(secure) ? "https" : "http",
                       host,
                       port.empty() ? "" : ":" + port);
}

// The scheme is compared in lower case, and only if there is one: a bare host is refused by the
// last check.
Status take_s3(const Sections& sections, const std::string& folder, S3Address& address) {
    DRYDOCK_TRY_ASSIGN(address.access_key, secret_setting(sections, folder, "aws_access_key_id"));
    DRYDOCK_TRY_ASSIGN(address.secret_key,
                       secret_setting(sections, folder, "aws_secret_access_key"));
    DRYDOCK_TRY_ASSIGN(address.bucket, setting(sections, "DataBackend", "bucket_name", "backy2"));
    DRYDOCK_TRY_ASSIGN(address.region, setting(sections, "DataBackend", "region_name", ""));
    DRYDOCK_TRY_ASSIGN(const std::string style,
                       setting(sections, "DataBackend", "addressing_style", ""));
    address.has_bucket_in_host = style == "virtual";
    DRYDOCK_TRY_ASSIGN(address.endpoint, endpoint_setting(sections, address));
    if (address.endpoint.find('@') != std::string::npos) {
        return refuse("[DataBackend] endpoint_url has a user: the keys have settings of their own");
    }
    const std::string scheme = lower(address.endpoint.substr(0, address.endpoint.find("://")));
    if (scheme.size() < address.endpoint.size() && scheme != "http" && scheme != "https") {
        return refuse("[DataBackend] endpoint_url is neither http:// nor https://");
    }
    if (address.bucket.empty() || address.endpoint.find("://") == std::string::npos) {
        return refuse("[DataBackend] bucket_name or endpoint_url names no place");
    }
    return {};
}

Status take_data(const Sections& sections, const std::string& folder, StoreConfig& config) {
    DRYDOCK_TRY_ASSIGN(const std::string type, setting(sections, "DataBackend", "type"));
    if (type == k_backends + "s3" || type == k_backends + "minio") {
        return take_s3(sections, folder, config.s3);
    }
    if (type != k_backends + "file") {
        return refuse(fmt::format(
            "[DataBackend] type is {}; drydock reads {}file, s3 and minio", type, k_backends));
    }
    DRYDOCK_TRY_ASSIGN(config.data, setting(sections, "DataBackend", "path"));
    if (config.data.empty()) {
        return refuse("[DataBackend] path is empty");
    }
    // Names beside the folder are made of its path.
    while (config.data.size() > 1 && config.data.back() == '/') {
        config.data.pop_back();
    }
    return {};
}

// encryption_version may be absent. Its absence is remembered, because 2.12 and later refuse such a
// file.
Status take_defaults(const Sections& sections, StoreConfig& config) {
    DRYDOCK_TRY_ASSIGN(config.hash_function,
                       setting(sections, "DEFAULTS", "hash_function", "sha512"));
    DRYDOCK_TRY_ASSIGN(config.lock_dir, setting(sections, "DEFAULTS", "lock_dir", ""));
    DRYDOCK_TRY_ASSIGN(config.block_bytes, number_setting(sections, "block_size", 4'194'304));
    DRYDOCK_TRY_ASSIGN(config.enc_version, number_setting(sections, "encryption_version", 0));
    const auto defaults = sections.find("DEFAULTS");
    config.has_enc_version =
        defaults != sections.end() && defaults->second.contains("encryption_version");
    DRYDOCK_TRY_ASSIGN(const std::string hex, setting(sections, "DEFAULTS", "encryption_key", ""));
    if (!hex.empty()) {
        DRYDOCK_TRY_ASSIGN(config.key, read_key(hex));
    }
    return {};
}

}  // namespace

Result<StoreConfig> parse_config(std::string_view text, const std::string& folder) {
    DRYDOCK_TRY_ASSIGN(const Sections sections, parse_sections(text));
    StoreConfig config;
    DRYDOCK_TRY_ASSIGN(const std::string url, setting(sections, "MetaBackend", "engine"));
    DRYDOCK_TRY(take_engine(url, config));
    DRYDOCK_TRY(take_data(sections, folder, config));
    DRYDOCK_TRY(take_defaults(sections, config));
    return config;
}

Result<StoreConfig> read_config(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, k_config_bytes_max));
    auto config = parse_config(text, os::folder_of(path));
    if (!config) {
        return tl::unexpected(config.error().with_context(path));
    }
    return config;
}

Result<std::string> read_key_file(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 4096));
    auto key = read_key(trim(text));
    if (!key) {
        return tl::unexpected(key.error().with_context(path));
    }
    return key;
}

}  // namespace drydock::mover::blocks
