// A copy of a store's metadata, made and proved before the metadata change.
#pragma once

#include "mover/blocks/sql.h"

#include <string>

namespace drydock::mover::blocks {

// Sha256 over the definitions of all tables and the rows of those of backy2, in the order of their
// keys. SQLite only.
[[nodiscard]] Result<std::string> digest_of_content(Sql& sql);

// Copies an SQLite database to a new file, syncs it, reads it back and compares it with
// `connection`, whose transaction keeps others from writing. Errors: "blocks.exists", "blocks.copy"
// if the copy differs, those of writing. Until it is proved, a copy has the name `<copy>.partial`;
// after an error none exists.
[[nodiscard]] Status copy_sqlite(Sql& connection, const std::string& path, const std::string& copy);

}  // namespace drydock::mover::blocks
