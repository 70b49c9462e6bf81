// backy2's configuration file: the place of a store and the settings of its blobs.
//
// The file has the syntax of Python's configparser. It knows sections, `name: value` or `name =
// value`, comments on lines of their own, and `%%` for a percent sign. References like `%(name)s`
// are refused.
#pragma once

#include "base/result.h"
#include "mover/blocks/data_backend.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace drydock::mover::blocks {

enum class Engine : std::uint8_t { sqlite, postgresql };

struct StoreConfig {
    Engine engine = Engine::sqlite;
    std::string metadata;  // SQLite: the path. PostgreSQL: a URI with its password
    std::string data;      // folder of the blobs; empty: they lie in S3
    S3Address s3;
    std::string hash_function = "sha512";
    std::string lock_dir;
    std::string key;  // 32 bytes; empty: none in the file
    std::int64_t block_bytes = 0;
    std::int64_t enc_version = 0;  // of new blobs
    bool has_enc_version = false;  // false: 2.12 and later refuse the file
};

// Parses a configuration. Error: "blocks.config" names the section and the setting. Key files must
// lie in `folder`, the directory of the configuration, or below; empty: in the working directory.
[[nodiscard]] Result<StoreConfig> parse_config(std::string_view text,
                                               const std::string& folder = {});
// Reads and parses a file; also "os.missing" and other errors of reading.
[[nodiscard]] Result<StoreConfig> read_config(const std::string& path);
// Reads a file with one line of 64 hex digits. Errors: "blocks.key", those of reading.
[[nodiscard]] Result<std::string> read_key_file(const std::string& path);

}  // namespace drydock::mover::blocks
