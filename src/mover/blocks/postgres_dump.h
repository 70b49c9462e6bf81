// Reads a copy that pg_dump made, and starts PostgreSQL's own programs.
#pragma once

#include "mover/blocks/sql.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// The beginning of a line of digests: then come the table, a blank, and the answer of
// postgres_digest_query().
inline constexpr const char* k_digest_line = "-- drydock: ";

// The beginning of the names of schemas that keep replaced tables; copies leave these schemas out.
inline constexpr const char* k_kept_schema = "drydock_before_";

// Returns the schema of the tables of sql.columns(), quoted where it must be. Error:
// "blocks.schema" if they are in several, or nowhere.
[[nodiscard]] Result<std::string> schema_of_metadata(Sql& sql);

struct PostgresDump {
    std::map<std::string, std::int64_t> rows;    // by table
    std::string schema;                          // of the table blocks, as the copy writes it
    std::map<std::string, std::string> digests;  // by table; copies of older drydocks have none
    bool is_complete = false;                    // its end is there
};

[[nodiscard]] PostgresDump read_postgres_dump(const std::string& path);

// Returns a query for a digest of all rows of a table in any order. It has their number, and the
// sum of 60 bits of each row's MD5.
[[nodiscard]] std::string postgres_digest_query(const std::string& table);

// Runs pg_dump or psql to its end, with the connection's settings in its environment. Writes errors
// to `errors_path` meanwhile, and removes it. Error: "blocks.copy" with the program's message.
[[nodiscard]] Status run_postgres_tool(const std::string& uri,
                                       std::vector<std::string> argv,
                                       int output,
                                       const std::string& errors_path);

}  // namespace drydock::mover::blocks
