// Exports one version to a file in backy2's own format, and imports such a file.
//
// The format has neither a count nor an end mark. backy2 imports a file that was cut off as a
// version with holes, exit 0. Here the rows are counted on both ways. The format has no tags, no
// statistics and no time of day of an expiry. Blobs are not in the file.
#pragma once

#include "mover/blocks/store.h"

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

struct ExportReport {
    VersionRow version;
    std::string format;                 // "2.12", as the first line says
    std::int64_t rows = 0;              // of blocks
    std::vector<std::string> left_out;  // facts without a place in the format, for people
};

// Writes a new file, which is synced before it gets its name. `uid` may be the beginning of one.
// The format is that of the schema's own release. Errors: "blocks.no_version", "blocks.ambiguous",
// "blocks.exists", "blocks.incomplete" if the version lacks rows, those of writing. No file exists
// after an error.
[[nodiscard]] Result<ExportReport>
export_version(Metadata& metadata, const std::string& uid, const std::string& path);

struct ImportReport {
    VersionRow version;
    std::string format;
    std::int64_t rows = 0;
};

// Imports a file of format 2.1, 2.2, 2.10 or 2.12. All of the file is checked before the first row
// is written, and all rows are written in one transaction. Errors: "blocks.truncated" if rows are
// missing or the last one is cut off, "blocks.import" for other files, "blocks.version_exists",
// "blocks.missing" if the store lacks a blob.
[[nodiscard]] Result<ImportReport> import_version(Store& store, const std::string& path);

}  // namespace drydock::mover::blocks
