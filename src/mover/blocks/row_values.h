// The values of a store's rows, which SQLite keeps of any type in any column.
//
// Numbers are read through integer_in(), so a value of another type is a number that no row may
// have. Walks order rows by uid; a uid that is no text has no place in that order and is an error.
#pragma once

#include "mover/blocks/sql.h"

#include <string>

namespace drydock::mover::blocks {

// An expression: the column as an integer; -1 for NULL and for a value of another type.
[[nodiscard]] std::string integer_in(SqlDialect dialect, const std::string& column);
// A condition: the column holds an integer.
[[nodiscard]] std::string is_integer(SqlDialect dialect, const std::string& column);

// Error: "blocks.rows" with table, row and column if the table has a uid that is no text. Two
// searches of the index over uid.
[[nodiscard]] Status check_uids(Sql& sql, const std::string& table);
// Error: "blocks.rows" if a page begins behind `last` and ends there too, as it would for ever.
[[nodiscard]] Status check_page_advances(const std::string& table,
                                         const std::string& last_uid,
                                         const std::string& new_last_uid);

}  // namespace drydock::mover::blocks
