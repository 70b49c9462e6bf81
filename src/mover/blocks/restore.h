// Restores one version, to the byte, without backy2.
//
// Every block is checked before it is written. Sparse blocks become holes of a file. A file gets
// its name only when all of it is written and synced; an existing file is replaced only on demand.
#pragma once

#include "mover/blocks/ranges.h"
#include "mover/blocks/store.h"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

struct RestoreRequest {
    std::string version;  // its uid, or the start of one
    std::string path;     // the file to make; empty: `descriptor`
    int descriptor = -1;  // a stream: zeros are written, nothing is synced
    std::size_t workers = 1;
    bool replaces = false;      // an existing file
    bool allows_holes = false;  // zeros where a block is lost; else the first loss ends it, and
                                // so do rows beyond the end
};

struct Restored {
    VersionRow version;
    std::int64_t bytes = 0;       // of blobs, read and right
    std::vector<ByteRange> lost;  // zeros in the place of data; only with `allows_holes`

    [[nodiscard]] bool whole() const { return lost.empty() && version.stray == 0; }
};

// Called with the bytes of the image that are written, and their total.
using RestoreProgress = std::function<void(std::int64_t done, std::int64_t all)>;

// Errors: those of read_block,
// "blocks.no_version", "blocks.ambiguous", "blocks.absent_row", "blocks.version_size",
// "blocks.stray_rows",
// "blocks.exists", those of writing. After an error no file of that name was made or changed.
[[nodiscard]] Result<Restored> restore(Metadata& metadata,
                                       const BlobReader& reader,
                                       const RestoreRequest& request,
                                       const RestoreProgress& progressed);

}  // namespace drydock::mover::blocks
