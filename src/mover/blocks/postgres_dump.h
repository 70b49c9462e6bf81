// What a copy by pg_dump has in it, and the start of PostgreSQL's own programs.
#pragma once

#include "mover/blocks/sql.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// A line of the copy: this, the table, a blank, and the answer of postgres_digest_query().
inline constexpr const char* k_digest_line = "-- drydock: ";

// Names of schemas with tables that a copy has taken the place of; no copy has them.
inline constexpr const char* k_kept_schema = "drydock_before_";
inline constexpr const char* k_exclude_kept = "--exclude-schema=drydock_before_*";

struct PostgresDump {
    std::map<std::string, std::int64_t> rows;    // by table
    std::map<std::string, std::string> digests;  // by table; copies of older drydocks have none
    bool is_complete = false;                    // its end is there
};

[[nodiscard]] PostgresDump read_postgres_dump(const std::string& path);

// Asks for a digest of all rows of a table in any order: their number, and the sum of 60 bits of
// each row's MD5.
[[nodiscard]] std::string postgres_digest_query(const std::string& table);

// Runs pg_dump or psql to its end, with the way to the database in its environment. `errors_path`
// is used meanwhile. Error: "blocks.copy" with what it said.
[[nodiscard]] Status run_postgres_tool(const std::string& uri,
                                       std::vector<std::string> argv,
                                       int output,
                                       const std::string& errors_path);

}  // namespace drydock::mover::blocks
