// A copy of PostgreSQL metadata by pg_dump, proved by counting what it wrote.
#include "base/text.h"
#include "mover/blocks/postgres_sql.h"
#include "os/files.h"
#include "os/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>

extern char** environ;

namespace drydock::mover::blocks {
namespace {

constexpr std::int64_t k_dump_ms_max = 6LL * 3600 * 1000;  // 100 million rows take an hour
constexpr std::size_t k_error_bytes_max = 4096;
const std::string k_end = "-- PostgreSQL database dump complete";

using RowCounts = std::map<std::string, std::int64_t>;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
    return fail("blocks.copy", fmt::format("copy {}: {}", path, why), "nothing was changed");
}

Result<std::vector<std::string>> environment_of(const std::string& uri) {
    DRYDOCK_TRY_ASSIGN(std::vector<std::string> all, postgres_environment(uri));
    for (char** one = environ; *one != nullptr; ++one) {
        if (!std::string_view(*one).starts_with("PG")) {
            all.emplace_back(*one);
        }
    }
    all.emplace_back("PGCLIENTENCODING=UTF8");
    return all;
}

Result<std::string> first_words(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 1U << 20U));
    return trim(text).substr(0, k_error_bytes_max);
}

Status dump(const std::string& uri, const std::string& snapshot, const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd out, os::make_file(path, O_WRONLY));
    const std::string error_path = path + ".errors";
    DRYDOCK_TRY_ASSIGN(const os::Fd errors, os::make_file(error_path, O_RDWR));
    os::SpawnOptions options;
    options.argv = {"pg_dump", "--no-password", "--snapshot=" + snapshot};
    DRYDOCK_TRY_ASSIGN(options.environment, environment_of(uri));
    options.output = out.get();
    options.errors = errors.get();
    options.dies_with_parent = true;
    auto child = os::spawn(options);
    const auto exit = child ? child->wait(k_dump_ms_max) : std::nullopt;
    const auto words = first_words(error_path);
    unlink(error_path.c_str());
    if (!child) {
        return refuse(path, child.error().text());
    }
    if (!exit || exit->code != 0) {
        child->signal_group(9);
        return refuse(path, "pg_dump: " + words.value_or(exit ? exit->text() : "it does not end"));
    }
    return fsync(out.get()) == 0 ? Status{} : refuse(path, "it cannot be synced");
}

// "COPY public.blocks (uid, ...) FROM stdin;" -> "blocks"; empty for other lines.
std::string table_of(const std::string& line) {
    if (!line.starts_with("COPY ") || !line.ends_with(" FROM stdin;")) {
        return {};
    }
    const std::string name = line.substr(5, line.find(' ', 5) - 5);
    return name.substr(name.rfind('.') + 1);
}

struct Dumped {
    RowCounts rows;
    bool is_complete = false;
};

Dumped read_dump(const std::string& path) {
    Dumped dumped;
    std::ifstream in(path);
    std::string table;
    for (std::string line; std::getline(in, line);) {
        if (!table.empty()) {
            table = line == "\\." ? std::string() : table;
            dumped.rows[table] += table.empty() ? 0 : 1;
            continue;
        }
        table = table_of(line);
        dumped.rows.try_emplace(table, 0);
        dumped.is_complete = dumped.is_complete || line == k_end;
    }
    dumped.rows.erase("");
    return dumped;
}

Status check_dump(Sql& sql, const std::string& path) {
    const Dumped dumped = read_dump(path);
    if (!dumped.is_complete) {
        return refuse(path, "its end is missing");
    }
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
    for (const auto& [table, unused] : columns) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql.query(fmt::format("SELECT count(*) FROM {}", table)));
        const auto found = dumped.rows.find(table);
        if (found == dumped.rows.end() || found->second != number_of(rows[0][0])) {
            return refuse(path, fmt::format("the rows of {} are not all in it", table));
        }
    }
    return {};
}

Status dump_and_check(Sql& sql, const std::string& uri, const std::string& path) {
    DRYDOCK_TRY(sql.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    DRYDOCK_TRY_ASSIGN(const SqlRows snapshot, sql.query("SELECT pg_export_snapshot()"));
    DRYDOCK_TRY(dump(uri, text_of(snapshot[0][0]), path));
    DRYDOCK_TRY(check_dump(sql, path));
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
    Status done = dump_and_check(*sql, uri, partial);
    if (done
        && renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, copy.c_str(), RENAME_NOREPLACE) != 0) {
        done = refuse(copy, "it cannot be given its name");
    }
    if (!done) {
        unlink(partial.c_str());
        return done;
    }
    return os::sync_folder(os::folder_of(copy));
}

}  // namespace drydock::mover::blocks
