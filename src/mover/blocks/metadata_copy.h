// A copy of a store's metadata, made and proved before the metadata change.
#pragma once

#include "mover/blocks/sql.h"

#include <string>

namespace drydock::mover::blocks {

// Sha256 over the definition and all rows of every table, in the order of their keys. SQLite only.
[[nodiscard]] Result<std::string> digest_of_content(Sql& sql);

// Copies an SQLite database to a new file, syncs it, reads all of it back and compares it with
// `held`, a connection whose transaction lets nobody write. Errors: "blocks.exists",
// "blocks.copy" if the copy differs, those of writing. A copy that is not proved yet is called
// `<copy>.partial`; after an error there is none.
[[nodiscard]] Status copy_sqlite(Sql& connection, const std::string& path, const std::string& copy);

}  // namespace drydock::mover::blocks
