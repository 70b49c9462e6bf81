// `buckets:` of a cluster file: what is known of each bucket, and where its key comes from.
//
// The file is checked against the schema of cluster files as a whole, so a misspelt key anywhere is
// told. The pack is not looked for: a bucket may be copied where no pack is installed.
#include "pack/buckets.h"

#include "pack/files.h"
#include "pack/schemas.h"

#include <fmt/format.h>

namespace drydock::pack {
namespace {

// Returns a path below the folder of the cluster file; empty stays empty.
std::string absolute(const std::string& file, const std::string& path) {
    return path.empty() ? path : path_from(folder_of(file), path);
}

// The schema lets exactly one of `env` and `file` through.
std::optional<model::SecretSource> source_of(const Node& node, const std::string& file) {
    const Node& secret = node["secret"];
    if (const std::string variable = text_of(secret["env"]); !variable.empty()) {
        return model::SecretSource{model::SecretKind::env, {variable}};
    }
    if (const std::string path = text_of(secret["file"]); !path.empty()) {
        return model::SecretSource{model::SecretKind::file, {absolute(file, path)}};
    }
    return std::nullopt;
}

NamedBucket bucket_of(const Entry& entry, const std::string& file) {
    const Node& node = entry.value;
    return {.bucket = text_of(node["bucket"], entry.key),
            .prefix = text_of(node["prefix"]),
            .endpoint = text_of(node["endpoint"]),
            .region = text_of(node["region"]),
            .addressing = text_of(node["addressing"]),
            .ca_file = absolute(file, text_of(node["ca"])),
            .profile = text_of(node["profile"]),
            .access_key = source_of(node["access_key"], file),
            .secret_key = source_of(node["secret_key"], file)};
}

}  // namespace

void check_buckets(const Node& buckets, Diagnostics& diagnostics) {
    for (const Entry& entry : buckets.entries) {
        const bool has_id = entry.value.has("access_key");
        const bool has_secret = entry.value.has("secret_key");
        if (has_id != has_secret) {
            diagnostics.error("bucket.key",
                              entry.position,
                              fmt::format("bucket `{}` has half a key", entry.key),
                              "give both `access_key` and `secret_key`, or a `profile`");
        } else if (has_id && entry.value.has("profile")) {
            diagnostics.error("bucket.key",
                              entry.position,
                              fmt::format("bucket `{}` has a key and a profile", entry.key),
                              "leave one of them out");
        }
    }
}

Loaded<NamedBuckets> load_buckets(const std::string& file) {
    Loaded<NamedBuckets> loaded;
    const auto text = read_text(file, loaded.diagnostics);
    const auto documents =
        text ? parse_yaml(*text, file, false, loaded.diagnostics) : std::vector<Node>();
    if (!documents.empty()) {
        check(documents.front(), cluster_file_schema(), "the file", loaded.diagnostics);
        check_buckets(documents.front()["buckets"], loaded.diagnostics);
        NamedBuckets& buckets = loaded.value.emplace();
        for (const Entry& entry : documents.front()["buckets"].entries) {
            buckets[entry.key] = bucket_of(entry, file);
        }
    }
    finish(loaded.diagnostics);
    if (loaded.diagnostics.has_errors()) {
        loaded.value.reset();
    }
    return loaded;
}

}  // namespace drydock::pack
