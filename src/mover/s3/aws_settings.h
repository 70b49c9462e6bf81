// The server and the key of a bucket, from Amazon's own variables and files.
//
// The order is Amazon's: what was typed or a cluster file says, then AWS_* variables, then
// ~/.aws/credentials, then ~/.aws/config. Keys are never taken from a command line. Reads files and
// nothing else; thread-safe if nothing changes the environment.
#pragma once

#include "base/result.h"
#include "mover/s3/client.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

// Returns the value of an environment variable, or nothing.
using Environment = std::function<std::optional<std::string>(const char* name)>;

[[nodiscard]] Environment process_environment();

// What was typed for one side, or stands in a cluster file; empty: not given.
struct TypedSettings {
    std::string endpoint;
    std::string region;
    std::string profile;
    std::string ca_file;
    std::string addressing;  // "path", "virtual"
    Credentials key = {};    // of the secrets of a cluster file
};

// Returns the server for a bucket. Errors: "s3.profile" for a profile that no file has,
// "s3.credentials" without a key, "s3.setting" for a broken file or endpoint.
[[nodiscard]] Result<ServerAddress>
server_address(const TypedSettings& typed, std::string_view bucket, const Environment& environment);

}  // namespace drydock::mover::s3
