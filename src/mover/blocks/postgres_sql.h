// PostgreSQL as a store's database, and the settings with which pg_dump reaches the same one.
#pragma once

#include "mover/blocks/sql.h"

#include <string>
#include <vector>

namespace drydock::mover::blocks {

// Limits of time and memory for one answer; beyond them the connection is closed.
struct SqlLimits {
    std::int64_t query_ms_max = 10LL * 60 * 1000;  // a count of 100 million rows takes two minutes
    std::int64_t answer_bytes_max = 256LL << 20U;  // a page of rows has some megabytes
};

// Limits for statements that write a schema or many rows, and for copies.
inline constexpr SqlLimits k_long_statements = {24LL * 3600 * 1000};

// Connects to postgresql://USER:PASSWORD@HOST:PORT/DATABASE with options that describe the place.
// Errors name the host and the database, and no password: "blocks.config", "blocks.metadata"; later
// "blocks.busy" if a lock is not available.
[[nodiscard]] Result<std::unique_ptr<Sql>>
connect_postgres(const std::string& uri, SqlAccess access, const SqlLimits& limits);
// Returns the same settings as variables of libpq, "PGHOST=...": every user can read arguments.
[[nodiscard]] Result<std::vector<std::string>> postgres_environment(const std::string& uri);

// Writes the metadata to a new file with pg_dump, syncs it, and compares its rows with those of the
// snapshot that pg_dump saw. Errors: "blocks.exists", "blocks.copy", those of writing.
[[nodiscard]] Status copy_postgres(const std::string& uri, const std::string& copy);

// Puts such a copy back in one transaction. The present tables are kept in the schema
// drydock_before_<name>; if that schema exists, an earlier call has succeeded. The digests in the
// copy are compared with the loaded rows before the commit. Error: "blocks.copy"; nothing was
// changed then.
[[nodiscard]] Status
put_back_postgres(const std::string& uri, const std::string& copy, const std::string& name);

}  // namespace drydock::mover::blocks
