// Reads columns of any type safely. SQLite orders numbers before texts, and blobs behind them. A
// walk in the order of uids would skip the first and never pass the last.
#include "mover/blocks/row_values.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

tl::unexpected<Error> refuse(const std::string& row, const std::string& reason) {
    return fail("blocks.rows",
                fmt::format("{}: column uid {}", row, reason),
                "backy2 writes texts only; look at the row by hand");
}

}  // namespace

std::string integer_in(SqlDialect dialect, const std::string& column) {
    return dialect == SqlDialect::sqlite
               ? fmt::format("CASE typeof({0}) WHEN 'integer' THEN {0} ELSE -1 END", column)
               : fmt::format("coalesce({}, -1)", column);
}

std::string is_integer(SqlDialect dialect, const std::string& column) {
    return dialect == SqlDialect::sqlite ? fmt::format("typeof({}) = 'integer'", column)
                                         : column + " IS NOT NULL";
}

Status check_uids(Sql& sql, const std::string& table) {
    if (sql.dialect() != SqlDialect::sqlite) {
        return {};  // the server keeps the type of the column
    }
    // SQLite orders numbers before all texts, and blobs behind them.
    for (const char* condition : {"uid < ''", "uid >= x''"}) {
        DRYDOCK_TRY_ASSIGN(
            const SqlRows rows,
            sql.query(fmt::format(
                "SELECT rowid, typeof(uid) FROM {} WHERE {} LIMIT 1", table, condition)));
        if (!rows.empty()) {
            return refuse(fmt::format("table {}, row {}", table, text_of(rows[0][0])),
                          "has the type " + text_of(rows[0][1]));
        }
    }
    return {};
}

Status check_page_advances(const std::string& table,
                           const std::string& last_uid,
                           const std::string& new_last_uid) {
    return last_uid != new_last_uid ? Status{}
                                    : refuse(fmt::format("table {}, row {}", table, new_last_uid),
                                             "has a value that does not sort as a text");
}

}  // namespace drydock::mover::blocks
