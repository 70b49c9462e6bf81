// A bucket copied into a folder, and a folder into a bucket.
//
// Each object is a file; what a file cannot hold of it is in the folder's manifest. Nothing is
// deleted, and nothing is replaced unless the caller says so. Only the newest versions are copied.
// One thread.
#pragma once

#include "mover/s3/clone.h"

#include <cstdint>
#include <functional>
#include <string>

namespace drydock::mover::s3 {

struct FolderRequest {
    BucketPlace place;
    std::string folder;
    std::string journal;  // of uploads that are open; unused for a download and in a dry run
    bool replaces = false;
    bool dry_run = false;
    bool counts_first = false;  // of a download; the files of an upload are known anyway
    ClientLimits limits = {};
    std::int64_t memory_bytes_max = k_memory_bytes_max;
    std::int64_t piece_bytes_max = k_piece_bytes_max;
    Progressed progressed = {};
    // Asked often; may be empty. Once it is true, no further file begins, those in flight end, and
    // the copy ends with "s3.paused". The same call goes on.
    std::function<bool()> is_to_stop = {};
};

// Copies the objects of a bucket to files. A file that is there is compared by its content. The
// manifest is written at the end, when all is durable. Errors: "s3.paused", those of the client,
// the listing and the folder (folder_tree.h).
[[nodiscard]] Result<CloneReport> download(const FolderRequest& request, os::Clock& clock);

// Copies files to objects, with headers and tags of the manifest if there is one. Errors: the same,
// and those of the journal.
[[nodiscard]] Result<CloneReport> upload(const FolderRequest& request, os::Clock& clock);

}  // namespace drydock::mover::s3
