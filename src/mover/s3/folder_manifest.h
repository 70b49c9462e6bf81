// What a folder cannot hold of its objects: headers, tags, ETags and digests, one JSON line for
// each key in order, in the file "%drydock-manifest.jsonl" of the folder (docs/formats/s3.md).
#pragma once

#include "base/result.h"
#include "mover/s3/url.h"

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

struct FolderEntry {
    std::string key;
    std::string path;
    std::int64_t bytes = 0;
    std::string etag;
    std::string sha256;
    NameValues headers;
    std::string tags;  // "team=a%20b"

    [[nodiscard]] std::string line() const;
};

[[nodiscard]] std::string manifest_path(const std::string& folder);

// Reads the entries of a manifest in order, with the memory of one. A missing file has none.
class FolderEntries {
public:
    explicit FolderEntries(const std::string& folder);

    // Returns the entry of a key. Keys are asked for in order. Error: "s3.folder_manifest" for a
    // broken line.
    [[nodiscard]] Result<std::optional<FolderEntry>> find(const std::string& key);

    // Passes all entries that are left.
    [[nodiscard]] Status rest();

    // The keys of entries that were passed without being asked for: the first of them.
    [[nodiscard]] const std::vector<std::string>& passed() const { return passed_; }

private:
    [[nodiscard]] Status next();

    std::string path_;
    std::ifstream file_;
    std::optional<FolderEntry> entry_;
    std::int64_t line_ = 0;
    std::vector<std::string> passed_;
};

}  // namespace drydock::mover::s3
