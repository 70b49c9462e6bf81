// Checks the files beside a SQLite database before SQLite opens it.
//
// SQLite rolls back a `-journal` that it finds, deletes the files that the journal names, and waits
// for ever at a pipe. A database from elsewhere may bring such files along. The files may change
// after the check, but only by a user who may write to that folder. Thread-safe.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::os {

// Returns the real path of a database whose files are plain; all but the first may be absent.
// Errors: "os.missing", "os.not_plain", "os.super_journal". Opens no file that SQLite locks:
// closing one would drop the POSIX locks of this process.
[[nodiscard]] Result<std::string> check_sqlite_files(const std::string& path);

// Counts the objects that are neither tables nor indices. Views, triggers and virtual tables are
// programs that run when a reader selects from them.
inline constexpr const char* k_count_sqlite_programs =
    "SELECT count(*) FROM sqlite_master WHERE NOT ((sql IS NULL AND type = 'index') OR sql LIKE "
    "'CREATE TABLE %' OR sql LIKE 'CREATE INDEX %' OR sql LIKE 'CREATE UNIQUE INDEX %')";

}  // namespace drydock::os
