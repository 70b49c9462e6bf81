// The queries of a rewrite.
//
// A blob may have many rows, and all of them must agree about its checksum, size and key. So the
// minimum and the maximum of each column are compared. The switch is by uid and enc_version and not
// by row. So it also covers a row that a backup added after the blob was read. To switch twice is
// harmless, because the second time no row has the old uid.
#include "mover/blocks/rewrite_rows.h"

#include "mover/blocks/row_values.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

constexpr const char* k_index = "drydock_plain_blocks";
// The statement of a killed backy2 may still run in the server and hold the table.
constexpr const char* k_lock_timeout = "SET LOCAL lock_timeout = '60s'";

constexpr const char* k_index_rows = "enc_version <> 1 AND uid > ''";
constexpr int k_strange_page = 1000;

// A row of another enc_version is no reason to call a store encrypted.
const char* rows_to_do(RewriteWork work) {
    return work == RewriteWork::encrypt ? k_index_rows : "enc_version = 1 AND uid > ''";
}

int enc_version_of(RewriteWork work) {
    return work == RewriteWork::encrypt ? 0 : 1;
}

SourceBlob source_of(const SqlRow& row) {
    SourceBlob source;
    source.row.uid = text_of(row[0]);
    source.row.checksum = row[1];
    source.row.size = number_of(row[3]);
    source.row.enc_version = number_of(row[5]);
    source.row.envelope = text_of(row[6]);
    source.nonce = text_of(row[8]);
    source.has_consistent_rows = row[1] == row[2] && row[3] == row[4] && row[6] == row[7];
    return source;
}

}  // namespace

Result<std::vector<SourceBlob>> RewriteRows::next(const std::string& last_uid, std::size_t count) {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_.query(
            fmt::format("SELECT uid, min(checksum), max(checksum), min(size), max(size), {0}, "
                        "min(enc_envkey), max(enc_envkey), min(enc_nonce) FROM blocks "
                        "WHERE uid > $1 AND enc_version = {0} GROUP BY uid ORDER BY uid LIMIT {1}",
                        enc_version_of(work_),
                        count),
            {last_uid}));
    std::vector<SourceBlob> sources;
    for (const SqlRow& row : rows) {
        sources.push_back(source_of(row));
    }
    return sources;
}

Result<std::vector<BlockRow>> RewriteRows::next_strange(const std::string& last_uid) {
    const std::string id = integer_in(sql_.dialect(), "min(id)");
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_.query(fmt::format("SELECT uid, min(version_uid), {} FROM blocks "
                               "WHERE {} AND enc_version <> 0 AND uid > $1 GROUP BY uid "
                               "ORDER BY uid LIMIT {}",
                               id,
                               k_index_rows,
                               k_strange_page),
                   {last_uid}));
    std::vector<BlockRow> strange;
    for (const SqlRow& row : rows) {
        strange.push_back({text_of(row[0]), text_of(row[1]), number_of(row[2])});
    }
    return strange;
}

Result<std::int64_t> RewriteRows::count() {
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql_.query(fmt::format("SELECT count(DISTINCT uid) FROM blocks WHERE {}",
                                              rows_to_do(work_))));
    return number_of(rows[0][0]);
}

Result<bool> RewriteRows::has_index() {
    const char* in_sqlite = "SELECT 1 FROM sqlite_master WHERE name = $1 AND tbl_name = 'blocks'";
    const char* in_postgres = "SELECT 1 WHERE to_regclass($1) IS NOT NULL";
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_.query(sql_.dialect() == SqlDialect::sqlite ? in_sqlite : in_postgres, {k_index}));
    return !rows.empty();
}

// SQLite's planner may prefer another index, so the query names its index.
Result<std::string> RewriteRows::any_query() {
    DRYDOCK_TRY_ASSIGN(const bool is_indexed, has_index());
    const bool is_named =
        is_indexed && sql_.dialect() == SqlDialect::sqlite && work_ == RewriteWork::encrypt;
    return fmt::format("SELECT 1 FROM blocks {} WHERE {} LIMIT 1",
                       is_named ? fmt::format("INDEXED BY {}", k_index) : "",
                       rows_to_do(work_));
}

Result<bool> RewriteRows::has_any() {
    DRYDOCK_TRY_ASSIGN(const std::string statement, any_query());
    DRYDOCK_TRY_ASSIGN(const SqlRows rows, sql_.query(statement));
    return !rows.empty();
}

// A lock on PostgreSQL is waited for up to a minute: a statement of a killed backy2 may still hold
// the table.
Status RewriteRows::make_index() {
    if (work_ != RewriteWork::encrypt) {
        return {};
    }
    return in_transaction(sql_, [this]() -> Status {
        if (sql_.dialect() == SqlDialect::postgresql) {
            DRYDOCK_TRY(sql_.execute(k_lock_timeout));
        }
        return sql_.execute(fmt::format(
            "CREATE INDEX IF NOT EXISTS {} ON blocks (uid) WHERE {}", k_index, k_index_rows));
    });
}

Status RewriteRows::drop_index() {
    return sql_.execute(fmt::format("DROP INDEX IF EXISTS {}", k_index));
}

Status RewriteRows::switch_rows(const std::vector<RewrittenBlob>& blobs) {
    return in_transaction(sql_, [&]() -> Status {
        for (const RewrittenBlob& blob : blobs) {
            DRYDOCK_TRY(sql_.query(
                fmt::format("UPDATE blocks SET uid = $1, enc_version = 1, enc_envkey = $2, "
                            "enc_nonce = $3 WHERE uid = $4 AND enc_version = {} RETURNING 1",
                            enc_version_of(work_)),
                {blob.new_uid, blob.envelope, blob.nonce, blob.old_uid}));
        }
        return {};
    });
}

// A rewrite of keys restores the old envelope; one of encryption restores plain rows.
Status RewriteRows::switch_back(const std::vector<RewrittenBlob>& blobs) {
    return in_transaction(sql_, [&]() -> Status {
        for (const RewrittenBlob& blob : blobs) {
            const auto outcome =
                work_ == RewriteWork::encrypt
                    ? sql_.query("UPDATE blocks SET uid = $1, enc_version = 0, enc_envkey = NULL, "
                                 "enc_nonce = NULL WHERE uid = $2 RETURNING 1",
                                 {blob.old_uid, blob.new_uid})
                    : sql_.query("UPDATE blocks SET uid = $1, enc_envkey = $2, enc_nonce = $3 "
                                 "WHERE uid = $4 RETURNING 1",
                                 {blob.old_uid, blob.old_envelope, blob.old_nonce, blob.new_uid});
            DRYDOCK_TRY(outcome);
        }
        return {};
    });
}

Result<std::optional<BlockRow>> RewriteRows::row_of(const std::string& uid) {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_.query("SELECT version_uid, id, checksum, size, enc_version, enc_envkey FROM blocks "
                   "WHERE uid = $1 LIMIT 1",
                   {uid}));
    if (rows.empty()) {
        return std::nullopt;
    }
    BlockRow row;
    row.uid = uid;
    row.version_uid = text_of(rows[0][0]);
    row.id = number_of(rows[0][1]);
    row.checksum = rows[0][2];
    row.size = number_of(rows[0][3]);
    row.enc_version = number_of(rows[0][4]);
    row.envelope = text_of(rows[0][5]);
    return row;
}

}  // namespace drydock::mover::blocks
