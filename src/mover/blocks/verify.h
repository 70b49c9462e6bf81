// Every blob of a store read and compared with its rows.
//
// Memory: one blob, one page of rows, and a counter for each version.
#pragma once

#include "mover/blocks/blob.h"

#include <map>

namespace drydock::mover::blocks {

struct Finding {
    BlockRow row;
    Error error;
};

struct VersionVerdict {
    VersionRow version;
    std::int64_t damaged = 0;  // positions whose bytes cannot be had

    [[nodiscard]] bool whole() const { return damaged == 0 && version.rows == version.blocks; }
};

struct StoreVerdict {
    std::map<std::string, VersionVerdict> versions;  // by uid
    std::int64_t blobs = 0;                          // read, each once
    std::int64_t bytes = 0;                          // of plain blocks read and right
    std::int64_t findings = 0;                       // positions

    [[nodiscard]] bool whole() const;
};

// `found` gets each position that cannot be restored; `progress` the counts, after each blob.
// An answer means that all was looked at; damage is no error. Errors: those of the metadata.
[[nodiscard]] Result<StoreVerdict> verify(Metadata& metadata,
                                          const BlobReader& reader,
                                          const std::function<void(const Finding&)>& found,
                                          const std::function<void(const StoreVerdict&)>& progress);

}  // namespace drydock::mover::blocks
