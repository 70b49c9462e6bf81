// The buckets that a cluster file names, for `drydock copy`, `verify` and `manifest`.
//
// They belong to no plan and need no pack: the rest of the file is only checked against its schema.
#pragma once

#include "model/cluster.h"
#include "pack/load.h"
#include "pack/yaml.h"

#include <map>
#include <optional>
#include <string>

namespace drydock::pack {

struct NamedBucket {
    std::string bucket;    // its name at the server
    std::string prefix;    // put before each key
    std::string endpoint;  // this one and the next four: empty if the file does not say
    std::string region;
    std::string addressing;  // "path", "virtual"
    std::string ca_file;     // absolute
    std::string profile;     // of Amazon's own files
    // Either both or none. The values are never part of the file.
    std::optional<model::SecretSource> access_key;
    std::optional<model::SecretSource> secret_key;
};

using NamedBuckets = std::map<std::string, NamedBucket>;

// Reads `buckets:` of a cluster file. Relative paths become absolute by the folder of the file.
[[nodiscard]] Loaded<NamedBuckets> load_buckets(const std::string& file);

// Reports what the schema does not: one key without the other, or keys beside a profile.
void check_buckets(const Node& buckets, Diagnostics& diagnostics);

}  // namespace drydock::pack
