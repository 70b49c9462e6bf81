// A copy of PostgreSQL metadata by pg_dump, and its proof.
//
// The proof compares the copy with the database at the same instant, while backups go on. So a
// transaction exports its snapshot, pg_dump reads through it, and the counts and digests are
// queried inside the same transaction.
#include "mover/blocks/postgres_dump.h"
#include "mover/blocks/postgres_sql.h"
#include "os/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace drydock::mover::blocks {
namespace {

tl::unexpected<Error> refuse(const std::string& path, const std::string& reason) {
    return fail("blocks.copy", fmt::format("copy {}: {}", path, reason), "nothing was changed");
}

// The tables of backy2 with their own objects; nothing of others that share the database.
std::vector<std::string>
dump_command(const Columns& tables, const std::string& schema, const std::string& snapshot) {
    std::vector<std::string> argv = {
        "pg_dump", "--no-password", "--no-publications", "--snapshot=" + snapshot};
    for (const auto& [table, unused] : tables) {
        argv.push_back(fmt::format("--table={}.{}", schema, table));
    }
    return argv;
}

Status dump(const std::string& uri, std::vector<std::string> argv, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::make_file(path, O_WRONLY));
    const Status outcome = run_postgres_tool(uri, std::move(argv), file.get(), path + ".errors");
    if (!outcome) {
        return refuse(path, outcome.error().message);
    }
    return fsync(file.get()) == 0 ? Status{} : refuse(path, "it cannot be synced");
}

Status check_dump(Sql& sql, const std::string& schema, const std::string& path) {
    const PostgresDump copy = read_postgres_dump(path);
    if (!copy.is_complete) {
        return refuse(path, "its end is missing");
    }
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
    for (const auto& [table, unused] : columns) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql.query(fmt::format("SELECT count(*) FROM {}.{}", schema, table)));
        const auto row_count = copy.rows.find(table);
        if (row_count == copy.rows.end() || row_count->second != number_of(rows[0][0])) {
            return refuse(path, fmt::format("the rows of {} are not all in it", table));
        }
    }
    return {};
}

// SQL takes the lines for comments. The restored tables are compared with them.
Status append_digests(Sql& sql, const std::string& schema, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
    std::string lines;
    for (const auto& [table, unused] : columns) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql.query(postgres_digest_query(schema + "." + table)));
        lines += fmt::format("{}{} {}\n", k_digest_line, table, text_of(rows[0][0]));
    }
    DRYDOCK_TRY_ASSIGN(const os::Fd file, os::open_plain(path, O_WRONLY | O_APPEND));
    DRYDOCK_TRY(os::write_all(file.get(), lines));
    return fsync(file.get()) == 0 ? Status{} : refuse(path, "it cannot be synced");
}

Status dump_and_check(Sql& sql, const std::string& uri, const std::string& path) {
    DRYDOCK_TRY(sql.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                            "SET LOCAL datestyle = 'ISO, MDY'"));
    DRYDOCK_TRY_ASSIGN(const SqlRows snapshot, sql.query("SELECT pg_export_snapshot()"));
    DRYDOCK_TRY_ASSIGN(const std::string schema, schema_of_metadata(sql));
    DRYDOCK_TRY_ASSIGN(const Columns tables, sql.columns());
    DRYDOCK_TRY(dump(uri, dump_command(tables, schema, text_of(snapshot[0][0])), path));
    DRYDOCK_TRY(check_dump(sql, schema, path));
    DRYDOCK_TRY(append_digests(sql, schema, path));
    return sql.execute("COMMIT");
}

}  // namespace

Status copy_postgres(const std::string& uri, const std::string& copy) {
    if (os::exists(copy)) {
        return fail("blocks.exists",
                    fmt::format("{} exists", copy),
                    "name another file for the copy of the metadata");
    }
    const std::string partial = copy + ".partial";
    DRYDOCK_TRY_ASSIGN(const auto sql, connect_postgres(uri, SqlAccess::read, k_long_statements));
    Status status = dump_and_check(*sql, uri, partial);
    if (status
        && renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, copy.c_str(), RENAME_NOREPLACE) != 0) {
        status = refuse(copy, "it cannot be given its name");
    }
    if (!status) {
        unlink(partial.c_str());
        return status;
    }
    return os::sync_folder(os::folder_of(copy));
}

}  // namespace drydock::mover::blocks
