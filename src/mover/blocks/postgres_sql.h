// PostgreSQL as a store's database, and what pg_dump needs to reach the same one.
#pragma once

#include "mover/blocks/sql.h"

#include <string>
#include <vector>

namespace drydock::mover::blocks {

// What a server may ask of our time and memory; beyond it the connection is closed.
struct SqlLimits {
    std::int64_t query_ms_max = 10LL * 60 * 1000;  // a count of 100 million rows takes two minutes
    std::int64_t answer_bytes_max = 256LL << 20U;  // a page of rows has some megabytes
};

// Of statements that write a schema or many rows, and of a copy's.
inline constexpr SqlLimits k_long_statements = {24LL * 3600 * 1000};

// `uri`: postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with options that say where it is. Errors
// name the host and the database, and no password: "blocks.config", "blocks.metadata"; later
// "blocks.busy" if a lock is not to be had.
[[nodiscard]] Result<std::unique_ptr<Sql>>
connect_postgres(const std::string& uri, SqlAccess access, const SqlLimits& limits);
// The same as variables of libpq, "PGHOST=...": what stands in arguments, everybody can read.
[[nodiscard]] Result<std::vector<std::string>> postgres_environment(const std::string& uri);

// Writes the metadata to a new file with pg_dump, syncs it, and compares the rows in it with those
// of the snapshot that pg_dump saw. Errors: "blocks.exists", "blocks.copy", those of writing.
[[nodiscard]] Status copy_postgres(const std::string& uri, const std::string& copy);

// Puts such a copy back in one transaction. The tables of now stay in the schema
// drydock_before_<name>; if there is such a schema, an earlier call has done it. The digests that
// the copy has are computed of what was loaded, before the commit. Error: "blocks.copy": nothing
// was changed.
[[nodiscard]] Status
put_back_postgres(const std::string& uri, const std::string& copy, const std::string& name);

}  // namespace drydock::mover::blocks
