// The journal in one SQLite file: a commit is on disk when append() returns (WAL,
// synchronous=FULL).
//
// Beside the database "<path>" lie SQLite's own "-wal" and "-shm" and our "<path>.lease", whose
// locks say which conductor is alive. The database is created 0600; the folder must already be
// private, which the caller checks. docs/formats/journal.md has the format.
#pragma once

#include "journal/journal.h"

#include <filesystem>
#include <memory>

namespace drydock::journal {

enum class OpenMode {
    create,    // make the database if it is missing
    existing,  // journal.missing if there is none
};

// Opens the journal at `path`. Errors: journal.missing, journal.open, journal.not_private (others
// may read or write the file), journal.symlink, journal.foreign (a file that is no journal),
// journal.newer (written by a later drydock), journal.full, journal.io, journal.read_only.
// The caller ignores SIGXFSZ if it runs under a file size limit.
[[nodiscard]] Result<std::unique_ptr<Journal>> open_sqlite(const std::filesystem::path& path,
                                                           OpenMode mode = OpenMode::create);

}  // namespace drydock::journal
