// The text form of pg_dump, read line by line, and the start of pg_dump and psql.
//
// A copy is proved from its own bytes. Rows are counted between "COPY" and "\.", and the last
// comment shows that pg_dump came to its end. A disk that is full or a killed server would leave a
// shorter file with the same beginning.
//
// The password goes through the environment, since every user can read arguments. Other variables
// with PG in front are removed: they could lead pg_dump to another database than the checked one.
#include "mover/blocks/postgres_dump.h"

#include "base/text.h"
#include "mover/blocks/postgres_sql.h"
#include "os/files.h"
#include "os/process.h"
#include "os/stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

extern char** environ;

namespace drydock::mover::blocks {
namespace {

constexpr std::int64_t k_tool_ms_max = 6LL * 3600 * 1000;  // 100 million rows take an hour
constexpr std::size_t k_error_bytes_max = 4096;
const std::string k_end = "-- PostgreSQL database dump complete";

Result<std::vector<std::string>> environment_of(const std::string& uri) {
    DRYDOCK_TRY_ASSIGN(std::vector<std::string> environment, postgres_environment(uri));
    for (char** entry = environ; *entry != nullptr; ++entry) {
        if (!std::string_view(*entry).starts_with("PG")) {
            environment.emplace_back(*entry);
        }
    }
    environment.emplace_back("PGCLIENTENCODING=UTF8");
    return environment;
}

Result<std::string> first_words(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(const std::string text, os::read_file(path, 1U << 20U));
    return trim(text).substr(0, k_error_bytes_max);
}

// Returns the table of a COPY line, such as "COPY public.blocks (uid, ...) FROM stdin;"; empty for
// other lines.
std::string table_of(const std::string& line) {
    if (!line.starts_with("COPY ") || !line.ends_with(" FROM stdin;")) {
        return {};
    }
    const std::string name = line.substr(5, line.find(" (", 5) - 5);
    return name.substr(name.rfind('.') + 1);
}

// "COPY public.blocks (" -> "public"
std::string schema_of(const std::string& line) {
    return line.substr(5, line.find(".blocks (") - 5);
}

// "-- drydock: blocks 53 123"
void note_digest(const std::string& line, PostgresDump& result) {
    const std::string_view start = k_digest_line;
    const auto blank = line.find(' ', start.size());
    if (line.starts_with(start) && blank != std::string::npos) {
        result.digests[line.substr(start.size(), blank - start.size())] = line.substr(blank + 1);
    }
}

}  // namespace

// A row of data may look like any other line, so lines between COPY and "\." are only counted.
PostgresDump read_postgres_dump(const std::string& path) {
    PostgresDump result;
    auto stream = os::open_stream(path);  // an unreadable file is not complete
    std::string table;
    for (std::string line; stream && std::getline(*stream, line);) {
        if (!table.empty()) {
            table = line == "\\." ? std::string() : table;
            result.rows[table] += table.empty() ? 0 : 1;
            continue;
        }
        table = table_of(line);
        result.rows.try_emplace(table, 0);
        result.schema = table == "blocks" ? schema_of(line) : result.schema;
        result.is_complete = result.is_complete || line == k_end;
        note_digest(line, result);
    }
    result.rows.erase("");
    return result;
}

Result<std::string> schema_of_metadata(Sql& sql) {
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
    std::string names;
    for (const auto& [table, unused] : columns) {
        names += fmt::format("{}'{}'", names.empty() ? "" : ", ", table);
    }
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql.query(fmt::format("SELECT DISTINCT quote_ident(n.nspname) FROM pg_class c JOIN "
                              "pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', "
                              "'p') AND pg_table_is_visible(c.oid) AND c.relname IN ({})",
                              names.empty() ? "''" : names)));
    if (rows.size() != 1) {
        return fail("blocks.schema",
                    fmt::format("the tables of the metadata are in {} schemas", rows.size()),
                    "set the search_path of the user so that it names the one schema of backy2");
    }
    return text_of(rows[0][0]);
}

std::string postgres_digest_query(const std::string& table) {
    return fmt::format("SELECT concat(count(*), ' ', coalesce(sum(('x' || substr(md5(t::text), 1, "
                       "15))::bit(60)::bigint), 0)) FROM {} t",
                       table);
}

Status run_postgres_tool(const std::string& uri,
                         std::vector<std::string> argv,
                         int output,
                         const std::string& errors_path) {
    DRYDOCK_TRY_ASSIGN(const os::Fd errors, os::make_file(errors_path, O_RDWR));
    os::SpawnOptions options;
    options.argv = std::move(argv);
    DRYDOCK_TRY_ASSIGN(options.environment, environment_of(uri));
    options.output = output;
    options.errors = errors.get();
    options.dies_with_parent = true;
    auto child = os::spawn(options);
    const auto exit = child ? child->wait(k_tool_ms_max) : std::nullopt;
    const auto words = first_words(errors_path);
    unlink(errors_path.c_str());
    if (!child) {
        return fail("blocks.copy", child.error().text());
    }
    if (exit && exit->code == 0) {
        return {};
    }
    child->signal_group(9);
    return fail("blocks.copy",
                fmt::format("{}: {}",
                            options.argv[0],
                            words.value_or(exit ? exit->text() : "it does not end")));
}

}  // namespace drydock::mover::blocks
