// The objects that a folder or a manifest names, in the bytewise order of their keys.
//
// A folder holds its names in memory, some 200 bytes a file; a manifest is read line by line. Not
// thread-safe.
#pragma once

#include "mover/s3/content_digest.h"
#include "mover/s3/folder_tree.h"

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

namespace drydock::mover::s3 {

// What one side of a comparison knows of an object.
struct KnownObject {
    std::string key;
    std::int64_t bytes = 0;
    std::string etag;      // empty: unknown, as for a file
    std::string sha256;    // empty: unknown
    std::string path;      // of a file below its folder; empty: no file
    ContentPlace content;  // of the object in a bucket; without a client: none
};

class ObjectList {
public:
    ObjectList() = default;
    ObjectList(const ObjectList&) = delete;
    ObjectList& operator=(const ObjectList&) = delete;
    virtual ~ObjectList() = default;

    // Returns the next object; null at the end.
    [[nodiscard]] virtual const KnownObject* front() const = 0;
    // Goes on to the object behind it. Error: "s3.manifest" for a broken line.
    [[nodiscard]] virtual Status pop() = 0;

    // Returns the folder of the files; null for a manifest.
    [[nodiscard]] virtual const FolderTree* tree() const { return nullptr; }

    // Returns the paths that are no regular files.
    [[nodiscard]] virtual std::vector<std::string> skipped() const { return {}; }
};

// Opens a folder. Errors: those of FolderTree; "s3.folder" also if there is none.
[[nodiscard]] Result<std::unique_ptr<ObjectList>> open_folder_list(const std::string& folder);

// Opens a manifest, of a bucket or of a folder. Errors: "s3.manifest" for a file that is none, that
// lists versions, or that has a broken first line.
[[nodiscard]] Result<std::unique_ptr<ObjectList>> open_manifest_list(const std::string& path);

}  // namespace drydock::mover::s3
