// Database, Statement, Transaction: the parts of SQLite that the journal needs, with errors as
// Results that name a remedy.
//
// No member throws. A Statement or Transaction must not outlive its Database; all three belong to
// one thread at a time.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace drydock::journal {

class Statement;

class Database {
public:
    // Opens an existing file for reading and writing.
    static Result<Database> open(const std::filesystem::path& path);

    // Runs statements that return no rows.
    Status execute(const char* sql);
    // Returns the first integer of the result; 0 if there is no row.
    Result<std::int64_t> integer(const char* sql);
    Result<Statement> prepare(const char* sql);

    // Returns the last failure as an Error: journal.full, journal.io, journal.read_only,
    // journal.busy, journal.corrupt, journal.foreign.
    [[nodiscard]] tl::unexpected<Error> error() const;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    [[nodiscard]] bool in_transaction() const;

private:
    struct Close {
        void operator()(sqlite3* handle) const;
    };

    Database(std::filesystem::path path, sqlite3* handle);

    std::filesystem::path path_;
    std::unique_ptr<sqlite3, Close> handle_;
};

// One prepared statement. Parameters count from 1, columns from 0. Bound text and bytes are
// borrowed until the last step(); a column's bytes are valid until the next step().
class Statement {
public:
    Statement(const Database& database, sqlite3_stmt* handle);

    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, std::uint64_t value);
    Statement& bind_text(int parameter, std::string_view value);
    Statement& bind_bytes(int parameter, std::string_view value);

    // Goes to the next row; returns false after the last.
    Result<bool> step();
    // Runs a statement that returns no rows.
    Status run();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::string_view bytes(int column) const;

    [[nodiscard]] std::string text(int column) const { return std::string(bytes(column)); }

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };

    const Database* database_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

// Rolls back when it is destroyed without commit().
class Transaction {
public:
    enum class Kind { read, write };

    static Result<Transaction> begin(Database& database, Kind kind);
    Transaction(Transaction&& source) noexcept;
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();

    // On return a write is on disk.
    Status commit();

private:
    explicit Transaction(Database& database) : database_(&database) {}

    Database* database_;
};

}  // namespace drydock::journal
