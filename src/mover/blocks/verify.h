// Reads every blob of a store and compares it with its rows.
//
// Memory: two blobs a worker, one page of rows, a bit for each damaged position.
#pragma once

#include "mover/blocks/blob.h"
#include "mover/blocks/ranges.h"

#include <cstddef>
#include <map>
#include <vector>

namespace drydock::mover::blocks {

struct Finding {
    BlockRow row;
    Error error;
};

struct VersionVerdict {
    VersionRow version;
    std::int64_t damaged = 0;     // positions with a row and without readable bytes
    std::vector<ByteRange> lost;  // ranges of damaged positions, and of positions without a row

    [[nodiscard]] bool whole() const {
        return damaged == 0 && version.has_all_rows() && has_regular_size(version);
    }
};

struct StoreVerdict {
    std::map<std::string, VersionVerdict> versions;  // by uid
    std::int64_t blobs = 0;                          // read, each once
    std::int64_t bytes = 0;                          // of plain blocks read and right
    std::int64_t findings = 0;                       // positions
    std::int64_t rows = 0;                           // with a blob, looked at so far
    std::int64_t rows_all = 0;                       // of them in all
    std::int64_t orphan_rows = 0;                    // rows of no version

    // True if every version can be restored. Orphan rows do no harm.
    [[nodiscard]] bool whole() const;
};

struct VerifyEvents {
    std::function<void(const Finding&)> on_finding;  // a position that cannot be restored
    // Called after each blob; may be empty. An error ends the verification.
    std::function<Status(const StoreVerdict&)> on_progress;
};

// Verifies the store. A verdict means that all of it was read; damage is no error. Errors: those of
// the metadata. Findings have the codes of read_block, "blocks.orphan_row" and "blocks.row_size".
[[nodiscard]] Result<StoreVerdict> verify(Metadata& metadata,
                                          const BlobReader& reader,
                                          std::size_t workers,
                                          const VerifyEvents& events);

}  // namespace drydock::mover::blocks
