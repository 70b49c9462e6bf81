// SQLite as a store's database.
//
// The database may come from elsewhere. So its companion files are checked before it is opened, and
// schemas are not trusted. A database with views, triggers or virtual tables is refused: such a
// program would run inside drydock's queries.
//
// Values are bound as texts, and SQLite's column affinity converts them. Prepared statements are
// kept by their text, up to k_statements_max.
#include "mover/blocks/sql.h"

#include "os/sqlite_files.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <map>

namespace drydock::mover::blocks {
namespace {

constexpr int k_busy_ms = 10'000;             // backy2 commits per block; a lock is short
constexpr std::size_t k_statements_max = 16;  // texts of pages contain numbers and are used once

struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

tl::unexpected<Error> refuse(const std::string& path, const std::string& reason) {
    return fail("blocks.metadata",
                fmt::format("metadata {}: {}", path, reason),
                "name the SQLite file of backy2's setting `engine`");
}

// Copies the fields as bytes. SQLite returns a null pointer for an empty blob, which is no NULL.
SqlRow row_at(sqlite3_stmt* row) {
    SqlRow fields(static_cast<std::size_t>(sqlite3_column_count(row)));
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const int column = static_cast<int>(i);
        if (sqlite3_column_type(row, column) != SQLITE_NULL) {
            const void* bytes = sqlite3_column_blob(row, column);
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
            fields[i].emplace(bytes == nullptr ? "" : static_cast<const char*>(bytes), size);
        }
    }
    return fields;
}

class SqliteSql final : public Sql {
public:
    explicit SqliteSql(std::string path) : path_(std::move(path)) {}

    Status open(SqlAccess access);

    [[nodiscard]] SqlDialect dialect() const override { return SqlDialect::sqlite; }

    [[nodiscard]] const std::string& name() const override { return path_; }

    Result<SqlRows> query(const std::string& sql, const std::vector<std::string>& values) override;
    Status execute(const std::string& sql) override;
    Result<Columns> columns() override;

private:
    Result<sqlite3_stmt*> prepare(const std::string& sql, const std::vector<std::string>& values);
    Result<SqlRows> step_all(sqlite3_stmt* statement);

    tl::unexpected<Error> failed();

    std::string path_;
    Database database_;
    std::map<std::string, Statement> statements_;  // by their text; go before the database
};

// Makes the error of the last call. A lock of another program is temporary.
tl::unexpected<Error> SqliteSql::failed() {
    if (!database_) {
        return refuse(path_, "out of memory");
    }
    const int code = sqlite3_errcode(database_.get());
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
        return fail(
            "blocks.busy",
            fmt::format("metadata {}: database is locked: another program works on it", path_),
            "let it end, start nothing new, and say it again",
            ErrorClass::transient);
    }
    return refuse(path_, sqlite3_errmsg(database_.get()));
}

Status SqliteSql::open(SqlAccess access) {
    sqlite3* raw = nullptr;
    // The file is opened for writing even by a reader: a killed writer leaves a journal, which the
    // reader must roll back. SQLite itself opens a file without write permission read-only.
    const auto real = os::check_sqlite_files(path_);
    if (!real) {
        auto error = refuse(path_, real.error().message);
        if (!real.error().remedy.empty()) {
            error.value().remedy = real.error().remedy;
        }
        return error;
    }
    const int code = sqlite3_open_v2(real->c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK) {
        return failed();
    }
    sqlite3_busy_timeout(raw, k_busy_ms);
    DRYDOCK_TRY(execute("PRAGMA trusted_schema = OFF"));
    DRYDOCK_TRY_ASSIGN(const SqlRows programs, query(os::k_count_sqlite_programs, {}));
    if (number_of(programs[0][0]) != 0) {
        return refuse(path_, "it has views, triggers or virtual tables, which backy2 never makes");
    }
    return execute(access == SqlAccess::read ? "PRAGMA query_only = ON"
                                             : "PRAGMA synchronous = FULL");
}

// Prepares a statement, or takes a kept one: a batch repeats the same text a thousand times.
Result<sqlite3_stmt*> SqliteSql::prepare(const std::string& sql,
                                         const std::vector<std::string>& values) {
    auto entry = statements_.find(sql);
    if (entry == statements_.end()) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &statement, nullptr)
            != SQLITE_OK) {
            return failed();
        }
        if (statements_.size() >= k_statements_max) {
            statements_.clear();
        }
        entry = statements_.emplace(sql, statement).first;
    }
    sqlite3_stmt* raw = entry->second.get();
    int place = 0;
    for (const std::string& value : values) {
        sqlite3_bind_text(
            raw, ++place, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    }
    return raw;
}

Result<SqlRows> SqliteSql::step_all(sqlite3_stmt* statement) {
    SqlRows rows;
    while (true) {
        const int code = sqlite3_step(statement);
        if (code == SQLITE_DONE) {
            return rows;
        }
        if (code != SQLITE_ROW) {
            return failed();
        }
        rows.push_back(row_at(statement));
    }
}

Result<SqlRows> SqliteSql::query(const std::string& sql, const std::vector<std::string>& values) {
    DRYDOCK_TRY_ASSIGN(sqlite3_stmt* const statement, prepare(sql, values));
    auto rows = step_all(statement);
    // A reset ends the statement's read lock. Its code repeats the code of the last step.
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return rows;
}

Status SqliteSql::execute(const std::string& sql) {
    if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        return failed();
    }
    return {};
}

Result<Columns> SqliteSql::columns() {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        query("SELECT m.name, c.name, upper(c.type) || CASE c.\"notnull\" WHEN 0 THEN "
              "'' ELSE ' NOT NULL' END FROM sqlite_master m, "
              "pragma_table_info(m.name) c WHERE m.type = 'table'",
              {}));
    Columns columns;
    for (const SqlRow& row : rows) {
        columns[text_of(row[0])][text_of(row[1])] = text_of(row[2]);
    }
    return columns;
}

}  // namespace

Result<std::unique_ptr<Sql>> connect_sqlite(const std::string& path, SqlAccess access) {
    auto sql = std::make_unique<SqliteSql>(path);
    DRYDOCK_TRY(sql->open(access));
    return sql;
}

}  // namespace drydock::mover::blocks
