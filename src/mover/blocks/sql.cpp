// The part that both databases share: transactions, and texts as numbers. SQLite's BEGIN IMMEDIATE
// takes the write lock at once: a transaction that began as a reader could fail at its first write.
#include "mover/blocks/sql.h"

#include <charconv>

namespace drydock::mover::blocks {

Status in_transaction(Sql& sql, const std::function<Status()>& work) {
    const bool is_sqlite = sql.dialect() == SqlDialect::sqlite;
    DRYDOCK_TRY(sql.execute(is_sqlite ? "BEGIN IMMEDIATE" : "BEGIN"));
    Status status = work();
    status = status ? sql.execute("COMMIT") : status;
    if (!status) {
        // The first error is the cause. A lost connection rolls back by itself.
        (void)sql.execute("ROLLBACK");
    }
    return status;
}

std::string text_of(const std::optional<std::string>& field) {
    return field.value_or("");
}

std::int64_t number_of(const std::optional<std::string>& field) {
    std::int64_t number = 0;
    if (field) {
        std::from_chars(field->data(), field->data() + field->size(), number);
    }
    return number;
}

}  // namespace drydock::mover::blocks
