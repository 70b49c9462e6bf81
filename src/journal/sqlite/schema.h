// Schema: the tables of the journal's database, and the safe ways to open or make one.
#pragma once

#include "journal/sqlite/database.h"
#include "journal/sqlite/sqlite_journal.h"

namespace drydock::journal {

// Opens the file, makes or upgrades its tables, and sets the pragmas of every connection. The
// errors are those of open_sqlite().
[[nodiscard]] Result<Database> open_database(const std::filesystem::path& path, OpenMode mode);

// Returns the journal's id.
[[nodiscard]] Result<std::string> journal_id(Database& database);
// Replaces the journal's id, in the caller's transaction.
[[nodiscard]] Status store_journal_id(Database& database, const std::string& id);

}  // namespace drydock::journal
