#include "mover/blocks/metadata.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <limits>
#include <vector>

namespace drydock::mover::blocks {
namespace {

constexpr int k_page_rows = 1000;
constexpr int k_busy_ms = 10'000;  // backy2 commits per block; a lock is short

struct Close {
    void operator()(sqlite3* database) const { sqlite3_close(database); }
};

struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

using Database = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

tl::unexpected<Error> refuse(const std::string& path, const std::string& why) {
    return fail("blocks.metadata",
                fmt::format("metadata {}: {}", path, why),
                "name the SQLite file of backy2's setting `engine`");
}

std::string text_at(sqlite3_stmt* row, int column) {
    const void* bytes = sqlite3_column_blob(row, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
    return bytes == nullptr ? "" : std::string(static_cast<const char*>(bytes), size);
}

BlockRow block_at(sqlite3_stmt* row) {
    BlockRow block;
    block.uid = text_at(row, 1);
    block.version_uid = text_at(row, 2);
    block.id = sqlite3_column_int64(row, 3);
    if (sqlite3_column_type(row, 4) != SQLITE_NULL) {
        block.checksum = text_at(row, 4);
    }
    block.size = sqlite3_column_int64(row, 5);
    block.enc_version = sqlite3_column_int64(row, 6);
    block.envelope = text_at(row, 7);
    return block;
}

VersionRow version_at(sqlite3_stmt* row) {
    return {text_at(row, 0),
            text_at(row, 1),
            sqlite3_column_int64(row, 2),
            sqlite3_column_int64(row, 3),
            sqlite3_column_int64(row, 4),
            sqlite3_column_int64(row, 5),
            sqlite3_column_int64(row, 6) != 0};
}

class SqliteMetadata final : public Metadata {
public:
    explicit SqliteMetadata(std::string path) : path_(std::move(path)) {}

    Status open();

    const Schema& schema() const override { return schema_; }

    Status each_version(const std::function<Status(const VersionRow&)>& take) override;
    Status each_blob_row(const std::function<Status(const BlockRow&)>& take) override;
    Status each_row_of(const std::string& version_uid,
                       const std::function<Status(const BlockRow&)>& take) override;
    Result<bool> still_has(const BlockRow& row) override;

private:
    Result<Statement> prepare(const std::string& sql, const std::vector<std::string>& values = {});
    Result<bool> step(const Statement& statement);
    Result<Columns> columns();
    Result<std::string> head();
    std::string block_columns() const;

    std::string path_;
    Database database_;
    Schema schema_;
};

Result<Statement> SqliteMetadata::prepare(const std::string& sql,
                                          const std::vector<std::string>& values) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v2(database_.get(), sql.c_str(), -1, &raw, nullptr);
    Statement statement(raw);
    if (code != SQLITE_OK) {
        return refuse(path_, sqlite3_errmsg(database_.get()));
    }
    int place = 0;
    for (const std::string& value : values) {
        sqlite3_bind_text(
            raw, ++place, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
    }
    return statement;
}

Result<bool> SqliteMetadata::step(const Statement& statement) {
    const int code = sqlite3_step(statement.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        return refuse(path_, sqlite3_errmsg(database_.get()));
    }
    return code == SQLITE_ROW;
}

Result<Columns> SqliteMetadata::columns() {
    DRYDOCK_TRY_ASSIGN(const Statement rows,
                       prepare("SELECT m.name, c.name, upper(c.type) FROM sqlite_master m, "
                               "pragma_table_info(m.name) c WHERE m.type = 'table'"));
    Columns columns;
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool more, step(rows));
        if (!more) {
            return columns;
        }
        columns[text_at(rows.get(), 0)][text_at(rows.get(), 1)] = text_at(rows.get(), 2);
    }
}

Result<std::string> SqliteMetadata::head() {
    DRYDOCK_TRY_ASSIGN(const Statement rows, prepare("SELECT version_num FROM alembic_version"));
    DRYDOCK_TRY_ASSIGN(const bool more, step(rows));
    return more ? text_at(rows.get(), 0) : std::string();
}

Status SqliteMetadata::open() {
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path_.c_str(), &raw, SQLITE_OPEN_READONLY, nullptr);
    database_.reset(raw);
    if (code != SQLITE_OK) {
        return refuse(path_, raw == nullptr ? "out of memory" : sqlite3_errmsg(raw));
    }
    sqlite3_busy_timeout(raw, k_busy_ms);
    DRYDOCK_TRY_ASSIGN(const Columns found, columns());
    std::string number;
    if (found.contains("alembic_version")) {
        DRYDOCK_TRY_ASSIGN(number, head());
    }
    auto schema = recognise(found, number);
    if (!schema) {
        return tl::unexpected(schema.error().in("metadata " + path_));
    }
    schema_ = std::move(*schema);
    return {};
}

Status SqliteMetadata::each_version(const std::function<Status(const VersionRow&)>& take) {
    DRYDOCK_TRY_ASSIGN(
        const Statement rows,
        prepare("SELECT v.uid, v.name, v.size, count(b.id), sum(b.id IS NOT NULL AND ifnull(b.uid, "
                "'') = ''),"
                " v.size_bytes, v.valid FROM versions v LEFT JOIN blocks b ON b.version_uid = v.uid"
                " AND b.id >= 0 AND b.id < v.size GROUP BY v.uid ORDER BY v.uid"));
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool more, step(rows));
        if (!more) {
            return {};
        }
        DRYDOCK_TRY(take(version_at(rows.get())));
    }
}

std::string SqliteMetadata::block_columns() const {
    return fmt::format("SELECT rowid, uid, version_uid, id, checksum, size, {}, {} FROM blocks ",
                       schema_.has_enc_version ? "enc_version" : "0",
                       schema_.has_enc_envkey ? "enc_envkey" : "NULL");
}

Status SqliteMetadata::each_blob_row(const std::function<Status(const BlockRow&)>& take) {
    std::string last_uid;  // rows without a uid are sparse, and so are those with an empty one
    std::int64_t last_row = std::numeric_limits<std::int64_t>::max();
    while (true) {
        DRYDOCK_TRY_ASSIGN(const Statement rows,
                           prepare(block_columns()
                                       + fmt::format("WHERE (uid, rowid) > (?, {}) "
                                                     "ORDER BY uid, rowid LIMIT {}",
                                                     last_row,
                                                     k_page_rows),
                                   {last_uid}));
        std::vector<BlockRow> page;
        while (true) {
            DRYDOCK_TRY_ASSIGN(const bool more, step(rows));
            if (!more) {
                break;
            }
            last_row = sqlite3_column_int64(rows.get(), 0);
            page.push_back(block_at(rows.get()));
        }
        if (page.empty()) {
            return {};
        }
        last_uid = page.back().uid;
        sqlite3_reset(rows.get());  // no lock while blobs are read
        for (const BlockRow& row : page) {
            DRYDOCK_TRY(take(row));
        }
    }
}

Status SqliteMetadata::each_row_of(const std::string& version_uid,
                                   const std::function<Status(const BlockRow&)>& take) {
    DRYDOCK_TRY_ASSIGN(
        const Statement rows,
        prepare(block_columns() + "WHERE version_uid = ? ORDER BY id", {version_uid}));
    while (true) {
        DRYDOCK_TRY_ASSIGN(const bool more, step(rows));
        if (!more) {
            return {};
        }
        DRYDOCK_TRY(take(block_at(rows.get())));
    }
}

Result<bool> SqliteMetadata::still_has(const BlockRow& row) {
    DRYDOCK_TRY_ASSIGN(
        const Statement rows,
        prepare(fmt::format("SELECT 1 FROM blocks WHERE version_uid = ? AND id = {} AND uid = ?",
                            row.id),
                {row.version_uid, row.uid}));
    return step(rows);
}

}  // namespace

Result<std::unique_ptr<Metadata>> open_sqlite(const std::string& path) {
    auto metadata = std::make_unique<SqliteMetadata>(path);
    DRYDOCK_TRY(metadata->open());
    return metadata;
}

}  // namespace drydock::mover::blocks
