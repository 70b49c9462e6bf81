// Schema: the tables of the journal's database, and opening or making one safely.
#pragma once

#include "journal/sqlite/database.h"
#include "journal/sqlite/sqlite_journal.h"

namespace drydock::journal {

// Opens the file, makes the tables if it is new, and sets what every connection needs. The errors
// are those of open_sqlite().
[[nodiscard]] Result<Database> open_database(const std::filesystem::path& path, OpenMode mode);

// The journal's id.
[[nodiscard]] Result<std::string> journal_id(Database& database);
// Replaces it, in the caller's transaction.
[[nodiscard]] Status store_journal_id(Database& database, const std::string& id);

}  // namespace drydock::journal
