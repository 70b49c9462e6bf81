// Puts PostgreSQL metadata back from a copy, in one transaction of psql. The present tables move to
// a schema of their own, and the copy is loaded. Its digests are computed anew before the commit.
//
// A failure at any step rolls all of it back. The moved tables are the way back for a copy that was
// the wrong one. The schema of that name is also the proof of an earlier commit. A call after a
// kill finds it and does nothing.
#include "mover/blocks/postgres_dump.h"
#include "mover/blocks/postgres_sql.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

tl::unexpected<Error> refuse(const std::string& path, const std::string& reason) {
    return fail("blocks.copy", fmt::format("copy {}: {}", path, reason), "nothing was changed");
}

// True if the name needs no quotes; it becomes a part of a statement.
bool is_plain_schema(const std::string& name) {
    constexpr std::size_t k_bytes_max = 63;  // of PostgreSQL
    return name.size() <= k_bytes_max && std::ranges::all_of(name, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

std::string
away_with(const Columns& tables, const std::string& schema, const std::string& kept_schema) {
    std::string sql =
        fmt::format("SET LOCAL lock_timeout = '60s'; CREATE SCHEMA {}; ", kept_schema);
    for (const auto& [table, unused] : tables) {
        sql += fmt::format("ALTER TABLE {}.{} SET SCHEMA {}; ", schema, table, kept_schema);
    }
    return sql;
}

// Returns the statements that compare the loaded rows with the copy. A copy of an older drydock has
// no digests, so its rows are counted.
std::string comparison(const PostgresDump& dump) {
    std::string checks = "SET LOCAL datestyle = 'ISO, MDY'; DO $drydock$ BEGIN ";
    for (const auto& [table, rows] : dump.rows) {
        const auto digest = dump.digests.find(table);
        const bool is_exact = digest != dump.digests.end();
        checks += fmt::format(
            "IF ({}) <> '{}' THEN RAISE EXCEPTION 'the rows of {} are not those of the copy'; "
            "END IF; ",
            is_exact ? postgres_digest_query(dump.schema + "." + table)
                     : fmt::format("SELECT concat(count(*)) FROM {}.{}", dump.schema, table),
            is_exact ? digest->second : std::to_string(rows),
            table);
    }
    return checks + "END $drydock$";
}

// The copy names the schema of its tables, and is loaded there.
Status check_place(const std::string& schema, const PostgresDump& dump, const std::string& path) {
    return schema == dump.schema
               ? Status{}
               : refuse(path,
                        fmt::format("its tables are of the schema {}, and those of now of {}",
                                    dump.schema,
                                    schema));
}

}  // namespace

Status put_back_postgres(const std::string& uri, const std::string& copy, const std::string& name) {
    const std::string kept_schema = k_kept_schema + name;
    if (!is_plain_schema(kept_schema)) {
        return fail("blocks.copy",
                    fmt::format("{} is no end of a schema's name", name),
                    "lower-case letters, digits and underscores, 48 at most");
    }
    DRYDOCK_TRY_ASSIGN(const auto sql, connect_postgres(uri, SqlAccess::read, {}));
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql->query("SELECT 1 FROM pg_namespace WHERE nspname = $1", {kept_schema}));
    if (!rows.empty()) {
        return {};  // committed by an earlier call
    }
    const PostgresDump dump = read_postgres_dump(copy);
    if (!dump.is_complete || !dump.rows.contains("blocks")) {
        return refuse(copy, "it is no copy of metadata, or its end is missing");
    }
    DRYDOCK_TRY_ASSIGN(const std::string schema, schema_of_metadata(*sql));
    DRYDOCK_TRY(check_place(schema, dump, copy));
    DRYDOCK_TRY_ASSIGN(const Columns tables, sql->columns());
    const Status outcome = run_postgres_tool(uri,
                                             {"psql",
                                              "--no-psqlrc",
                                              "--no-password",
                                              "--quiet",
                                              "--single-transaction",
                                              "--set=ON_ERROR_STOP=1",
                                              "--command=" + away_with(tables, schema, kept_schema),
                                              "--file=" + copy,
                                              "--command=" + comparison(dump)},
                                             -1,
                                             copy + ".errors");
    return outcome ? Status{} : refuse(copy, outcome.error().message);
}

}  // namespace drydock::mover::blocks
