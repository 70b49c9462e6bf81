// Schema: the tables of the journal's database, and opening or making one safely.
#pragma once

#include "journal/sqlite/database.h"
#include "journal/sqlite/sqlite_journal.h"

namespace drydock::journal {

// Opens the file, makes the tables if it is new, and sets what every connection needs. The errors
// are those of open_sqlite().
[[nodiscard]] Result<Database> open_database(const std::filesystem::path& path, OpenMode mode);

// The id that the journal was given when it was made.
[[nodiscard]] Result<std::string> journal_id(Database& database);

}  // namespace drydock::journal
