// The figures of a store, from its rows and the names of its blobs; no blob is opened.
//
// Rows and folders are merged in one order, so memory does not grow with the store. It holds one
// page of rows, the names of one folder, and a record for each version.
#pragma once

#include "mover/blocks/store.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace drydock::mover::blocks {

struct Inspection {
    Schema schema;
    std::vector<VersionRow> versions;
    std::int64_t rows = 0;          // of all versions, with and without a blob
    std::int64_t sparse = 0;        // rows without a blob
    std::int64_t stray = 0;         // rows beyond the end of their version
    std::int64_t orphan_rows = 0;   // rows of no version
    std::int64_t blobs = 0;         // that rows name
    std::int64_t shared = 0;        // blobs that more than one row names
    std::int64_t encrypted = 0;     // rows of enc_version 1
    std::int64_t missing = 0;       // blobs that rows name and the folder lacks
    std::int64_t unreferenced = 0;  // files that no row names
    std::int64_t unreferenced_bytes = 0;
    std::int64_t unlisted = 0;    // of these, blobs that backy2's fast cleanup will not find
    std::int64_t strange = 0;     // files that are no blobs by their names
    std::int64_t deleted = 0;     // rows of deleted_blocks
    std::int64_t blob_bytes = 0;  // size of all blob files
    std::vector<std::string> missing_uids;       // the first of them
    std::vector<std::string> unreferenced_uids;  // the first of them

    // True if no blob is missing, and the rows of each version fill its size.
    [[nodiscard]] bool whole() const;
};

// Reads all rows and names. Errors: those of the metadata; "blocks.data" for a folder that cannot
// be read.
[[nodiscard]] Result<Inspection> inspect(Store& store);

}  // namespace drydock::mover::blocks
