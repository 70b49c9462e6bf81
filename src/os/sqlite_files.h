// What SQLite would touch beside a database, looked at before it is opened.
//
// SQLite rolls back a `-journal` that it finds, deletes the files that one names, and waits for
// ever at a pipe. A database that came from somewhere may bring such files along. What is found may
// change before SQLite looks; only who writes to that folder can do that. Thread-safe.
#pragma once

#include "base/result.h"

#include <string>

namespace drydock::os {

// The real path of a database whose files are plain, or absent but for the first. Errors:
// "os.missing", "os.not_plain", "os.super_journal". Opens no file that SQLite locks: closing one
// would drop the locks that this process has.
[[nodiscard]] Result<std::string> check_sqlite_files(const std::string& path);

// How many objects are neither tables nor indices. Views, triggers and virtual tables are programs
// that run when somebody reads.
inline constexpr const char* k_count_sqlite_programs =
    "SELECT count(*) FROM sqlite_master WHERE NOT ((sql IS NULL AND type = 'index') OR sql LIKE "
    "'CREATE TABLE %' OR sql LIKE 'CREATE INDEX %' OR sql LIKE 'CREATE UNIQUE INDEX %')";

}  // namespace drydock::os
