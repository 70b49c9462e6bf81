// Reads Amazon's two files, which are INI with one nested level, and applies Amazon's order.
//
// A key and its secret always come from one place: a key of a variable is never used with the
// secret of a file.
#include "mover/s3/aws_settings.h"

#include "base/text.h"
#include "os/files.h"

#include <fmt/format.h>

#include <cstdlib>
#include <map>

namespace drydock::mover::s3 {
namespace {

constexpr std::size_t k_file_bytes_max = 1U << 20U;

using Section = std::map<std::string, std::string>;  // "s3.addressing_style" for nested names
using Sections = std::map<std::string, Section>;

Error setting_error(const std::string& file, std::size_t line, const char* reason) {
    return {"s3.setting",
            fmt::format("{}:{}: {}", file, line, reason),
            "write it as the documentation of the AWS command line shows",
            ErrorClass::permanent};
}

// Reads one line into the section. An indented line belongs to the name before it.
Status read_line(Section& section, std::string& parent, const std::string& line) {
    const auto equals = line.find('=');
    if (equals == line.npos) {
        return fail("s3.setting", "a line is neither [section] nor name = value");
    }
    const bool is_nested = line.front() == ' ' || line.front() == '\t';
    const std::string name = trim(line.substr(0, equals));
    const std::string value = trim(line.substr(equals + 1));
    if (!is_nested) {
        parent = value.empty() ? name : "";
    }
    section[is_nested && !parent.empty() ? parent + "." + name : name] = value;
    return {};
}

// "profile x" of the config file and "x" of the credentials are the same profile.
std::string section_name(const std::string& line) {
    std::string name = trim(line.substr(1, line.find(']') - 1));
    if (name.starts_with("profile ")) {
        name = trim(name.substr(8));
    }
    return name;
}

Result<Sections> parse_ini(const std::string& text, const std::string& file) {
    Sections sections;
    Section* section = nullptr;
    std::string parent;
    std::size_t number = 0;
    for (const std::string& line : split(text, '\n')) {
        ++number;
        const std::string plain = trim(line);
        if (plain.empty() || plain.front() == '#' || plain.front() == ';') {
            continue;
        }
        if (line.front() == '[') {
            section = &sections[section_name(line)];
            continue;
        }
        if (section == nullptr) {
            return tl::unexpected(setting_error(file, number, "a value stands before [section]"));
        }
        if (!read_line(*section, parent, line)) {
            return tl::unexpected(setting_error(file, number, "no name = value"));
        }
    }
    return sections;
}

// A missing file is an empty one.
Result<Sections> read_ini(const std::string& path) {
    auto text = os::read_file(path, k_file_bytes_max);
    if (!text) {
        return text.error().code == "os.missing" ? Result<Sections>(Sections())
                                                 : tl::unexpected(text.error());
    }
    return parse_ini(*text, path);
}

// All places of settings, merged for one profile.
struct Places {
    const TypedSettings* typed = nullptr;
    const Environment* environment = nullptr;
    Section config;
    Section credentials;
    bool is_profile_typed = false;  // then variables with keys do not count

    [[nodiscard]] std::string variable(const char* name) const {
        return (*environment)(name).value_or("");
    }

    [[nodiscard]] std::string in_files(const std::string& name) const {
        for (const Section* section : {&credentials, &config}) {
            if (const auto place = section->find(name); place != section->end()) {
                return place->second;
            }
        }
        return "";
    }
};

// Returns the first that is not empty.
std::string first_of(std::initializer_list<std::string> values) {
    for (const std::string& value : values) {
        if (!value.empty()) {
            return value;
        }
    }
    return "";
}

std::string file_of(const Environment& environment, const char* variable, const char* name) {
    return first_of(
        {environment(variable).value_or(""), environment("HOME").value_or("") + "/.aws/" + name});
}

Result<Places> read_places(const TypedSettings& typed, const Environment& environment) {
    Places places = {&typed, &environment, {}, {}, !typed.profile.empty()};
    DRYDOCK_TRY_ASSIGN(Sections config,
                       read_ini(file_of(environment, "AWS_CONFIG_FILE", "config")));
    DRYDOCK_TRY_ASSIGN(
        Sections credentials,
        read_ini(file_of(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")));
    const std::string profile =
        first_of({typed.profile, environment("AWS_PROFILE").value_or(""), "default"});
    if (profile != "default" && !config.contains(profile) && !credentials.contains(profile)) {
        return fail("s3.profile",
                    fmt::format("no file has the profile {}", profile),
                    "look at ~/.aws/config and ~/.aws/credentials");
    }
    places.config = config[profile];
    places.credentials = credentials[profile];
    return places;
}

Result<Credentials> credentials_of(const Places& places) {
    if (!places.typed->key.access_key.empty()) {
        return places.typed->key;
    }
    Credentials key = {places.variable("AWS_ACCESS_KEY_ID"),
                       places.variable("AWS_SECRET_ACCESS_KEY"),
                       places.variable("AWS_SESSION_TOKEN")};
    if (places.is_profile_typed || key.access_key.empty() || key.secret_key.empty()) {
        key = {places.in_files("aws_access_key_id"),
               places.in_files("aws_secret_access_key"),
               places.in_files("aws_session_token")};
    }
    if (!key.access_key.empty() && !key.secret_key.empty()) {
        return key;
    }
    for (const char* name : {"credential_process", "sso_session", "sso_start_url", "role_arn"}) {
        if (!places.in_files(name).empty()) {
            return fail("s3.credentials",
                        fmt::format("the profile gets its key by {}, which drydock cannot", name),
                        "put a key into the environment: aws configure export-credentials "
                        "--format env");
        }
    }
    return fail("s3.credentials",
                "there is no key for the bucket",
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of "
                "~/.aws/credentials");
}

// Amazon's own servers want the bucket in the host, but their certificates cover no dots in it.
bool wants_bucket_in_host(const Places& places, bool is_amazon, std::string_view bucket) {
    const std::string style =
        first_of({places.typed->addressing, places.in_files("s3.addressing_style")});
    if (style == "virtual") {
        return true;
    }
    return style != "path" && is_amazon && bucket.find('.') == bucket.npos;
}

// An endpoint is a scheme and a host, since paths of keys begin right behind it.
Result<std::string> checked_endpoint(std::string endpoint) {
    while (endpoint.ends_with('/')) {
        endpoint.pop_back();
    }
    const auto scheme_end = endpoint.find("://");
    const bool is_http = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    const bool is_plain = is_http && endpoint.size() > scheme_end + 3
                          && endpoint.find_first_of("/?#@ ", scheme_end + 3) == endpoint.npos;
    if (!is_plain) {
        return fail("s3.setting",
                    "the endpoint has more or less than a scheme and a host",
                    "write it as https://HOST[:PORT], without a path or a user");
    }
    return endpoint;
}

}  // namespace

Environment process_environment() {
    return [](const char* name) -> std::optional<std::string> {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread changes the environment
        const char* value = std::getenv(name);
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

Result<ServerAddress> server_address(const TypedSettings& typed,
                                     std::string_view bucket,
                                     const Environment& environment) {
    DRYDOCK_TRY_ASSIGN(const Places places, read_places(typed, environment));
    ServerAddress address;
    DRYDOCK_TRY_ASSIGN(address.credentials, credentials_of(places));
    address.region = first_of({typed.region,
                               places.variable("AWS_REGION"),
                               places.variable("AWS_DEFAULT_REGION"),
                               places.in_files("region"),
                               "us-east-1"});
    const std::string endpoint = first_of({typed.endpoint,
                                           places.variable("AWS_ENDPOINT_URL_S3"),
                                           places.variable("AWS_ENDPOINT_URL"),
                                           places.in_files("s3.endpoint_url"),
                                           places.in_files("endpoint_url")});
    address.has_bucket_in_host = wants_bucket_in_host(
        places, endpoint.empty() || endpoint.ends_with(".amazonaws.com"), bucket);
    DRYDOCK_TRY_ASSIGN(
        address.endpoint,
        checked_endpoint(endpoint.empty()
                             ? fmt::format("https://s3.{}.amazonaws.com", address.region)
                             : endpoint));
    address.ca_file =
        first_of({typed.ca_file, places.variable("AWS_CA_BUNDLE"), places.in_files("ca_bundle")});
    return address;
}

}  // namespace drydock::mover::s3
