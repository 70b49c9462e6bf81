// One connection to the database of a store: text in, text out, the same for SQLite and PostgreSQL.
//
// Queries return all their rows, so callers page with LIMIT and no lock outlives a call. Parameters
// are $1, $2, ... in their order. An object belongs to one thread.
#pragma once

#include "mover/blocks/schema.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

using SqlRow = std::vector<std::optional<std::string>>;  // one text a column; none: NULL
using SqlRows = std::vector<SqlRow>;

enum class SqlDialect : std::uint8_t { sqlite, postgresql };
enum class SqlAccess : std::uint8_t { read, write };

class Sql {
public:
    virtual ~Sql() = default;
    [[nodiscard]] virtual SqlDialect dialect() const = 0;
    // Returns the name of the database for messages, without a password.
    [[nodiscard]] virtual const std::string& name() const = 0;
    // Runs one statement and returns its rows. Errors: "blocks.metadata", "blocks.busy" if another
    // program holds a lock for longer than the call waits.
    [[nodiscard]] virtual Result<SqlRows> query(const std::string& sql,
                                                const std::vector<std::string>& values) = 0;
    // Runs statements without results, separated by semicolons.
    [[nodiscard]] virtual Status execute(const std::string& sql) = 0;
    // Returns every table of backy2 with its columns.
    [[nodiscard]] virtual Result<Columns> columns() = 0;

    [[nodiscard]] Result<SqlRows> query(const std::string& sql) { return query(sql, {}); }
};

// Calls `work` inside a transaction that can write from its start; an error rolls all of it back.
[[nodiscard]] Status in_transaction(Sql& sql, const std::function<Status()>& work);

[[nodiscard]] std::string text_of(const std::optional<std::string>& field);
[[nodiscard]] std::int64_t number_of(const std::optional<std::string>& field);

// Connects to a file. Error: "blocks.metadata" if there is no such file, or no database in it.
[[nodiscard]] Result<std::unique_ptr<Sql>> connect_sqlite(const std::string& path,
                                                          SqlAccess access);

}  // namespace drydock::mover::blocks
