// The queries over versions and block rows. They are the same for both databases but for one.
//
// A store may have a hundred million rows, so every walk is paged by a key and no query returns all
// rows. Paging by a key and not by OFFSET keeps each page cheap. A row that is added or removed
// meanwhile neither repeats nor skips others.
#include "mover/blocks/metadata.h"

#include "mover/blocks/row_values.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

constexpr int k_page_rows = 1000;
constexpr const char* k_largest_block = "2147483647";  // bytes; no row of a real block has more

std::string version_columns(SqlDialect dialect) {
    return fmt::format("SELECT uid, name, snapshot_name, date, {}, {}, {}, {} FROM versions ",
                       integer_in(dialect, "size"),
                       integer_in(dialect, "size_bytes"),
                       integer_in(dialect, "valid"),
                       integer_in(dialect, "protected"));
}

BlockRow block_of(SqlRow& row) {
    BlockRow block;
    block.uid = text_of(row[0]);
    block.version_uid = text_of(row[1]);
    block.id = number_of(row[2]);
    block.checksum = std::move(row[3]);
    block.size = number_of(row[4]);
    block.enc_version = number_of(row[5]);
    block.envelope = text_of(row[6]);
    return block;
}

VersionRow version_of(const SqlRow& row) {
    VersionRow version;
    version.uid = text_of(row[0]);
    version.name = text_of(row[1]);
    version.snapshot = text_of(row[2]);
    version.date = text_of(row[3]);
    version.blocks = number_of(row[4]);
    version.bytes = number_of(row[5]);
    version.is_valid = number_of(row[6]) > 0;
    version.is_protected = number_of(row[7]) > 0;
    return version;
}

Status take_page(SqlRows& page, const std::function<Status(const BlockRow&)>& take) {
    for (SqlRow& row : page) {
        DRYDOCK_TRY(take(block_of(row)));
    }
    return {};
}

}  // namespace

// Reads the columns and the alembic head, and recognises the release from them.
Status Metadata::read_schema() {
    DRYDOCK_TRY_ASSIGN(const Columns columns, sql_->columns());
    std::string head;
    if (columns.contains("alembic_version")) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql_->query("SELECT version_num FROM alembic_version"));
        head = rows.empty() ? "" : text_of(rows[0][0]);
    }
    auto schema = recognise(columns, head);
    if (!schema) {
        return tl::unexpected(schema.error().with_context("metadata " + sql_->name()));
    }
    schema_ = std::move(*schema);
    return {};
}

// Counts the kinds of rows of one version in one query.
Status Metadata::count_rows(VersionRow& version) {
    const SqlDialect dialect = sql_->dialect();
    const std::string inside =
        fmt::format("{} AND id >= 0 AND id < {}", is_integer(dialect, "id"), version.blocks);
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_->query(
            fmt::format(
                "SELECT sum(CASE WHEN {0} THEN 1 ELSE 0 END), "
                "sum(CASE WHEN {0} AND (uid IS NULL OR uid = '') THEN 1 ELSE 0 END), "
                "sum(CASE WHEN {0} THEN 0 ELSE 1 END), sum(CASE WHEN {1} THEN 1 ELSE 0 END), "
                "max(CASE WHEN {2} BETWEEN 0 AND {3} THEN size END) "
                "FROM blocks WHERE version_uid = $1",
                inside,
                schema_.has_enc_version ? "enc_version = 1" : "1 = 0",
                integer_in(dialect, "size"),
                k_largest_block),
            {version.uid}));
    version.rows = number_of(rows[0][0]);
    version.sparse = number_of(rows[0][1]);
    version.stray = number_of(rows[0][2]);
    version.encrypted = number_of(rows[0][3]);
    version.block_bytes = number_of(rows[0][4]);
    return {};
}

// Two results are enough to see that a prefix is ambiguous.
Result<std::vector<VersionRow>> Metadata::versions_like(const std::string& prefix) {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_->query(version_columns(sql_->dialect())
                        + fmt::format("WHERE substr(uid, 1, {}) = $1 LIMIT 2", prefix.size()),
                    {prefix}));
    std::vector<VersionRow> versions;
    for (const SqlRow& row : rows) {
        versions.push_back(version_of(row));
        DRYDOCK_TRY(count_rows(versions.back()));
    }
    return versions;
}

Result<VersionRow> Metadata::find_version(const std::string& prefix) {
    if (!prefix.empty()) {
        DRYDOCK_TRY_ASSIGN(const auto versions, versions_like(prefix));
        if (versions.size() == 1) {
            return versions.front();
        }
        if (versions.size() > 1) {
            return fail(
                "blocks.ambiguous",
                fmt::format("{} and {} begin with {}", versions[0].uid, versions[1].uid, prefix),
                "say more of the uid");
        }
    }
    return fail("blocks.no_version",
                fmt::format("there is no version {}", prefix),
                "`drydock store inspect` lists them with their uids");
}

// Pages by uid. The figures of a version are read while its page is in memory, and not in one large
// join.
Status Metadata::each_version(const std::function<Status(const VersionRow&)>& take) {
    DRYDOCK_TRY(check_uids(*sql_, "versions"));
    std::string last;
    while (true) {
        DRYDOCK_TRY_ASSIGN(
            const SqlRows page,
            sql_->query(version_columns(sql_->dialect())
                            + fmt::format("WHERE uid > $1 ORDER BY uid LIMIT {}", k_page_rows),
                        {last}));
        if (page.empty()) {
            return {};
        }
        DRYDOCK_TRY(check_page_advances("versions", last, text_of(page.back()[0])));
        last = text_of(page.back()[0]);
        for (const SqlRow& row : page) {
            VersionRow version = version_of(row);
            DRYDOCK_TRY(count_rows(version));
            DRYDOCK_TRY(take(version));
        }
    }
}

std::string Metadata::block_columns() const {
    const SqlDialect dialect = sql_->dialect();
    // An enc_version of NULL is read as backy2 before 2.12 wrote its blobs: plain.
    return fmt::format("SELECT uid, version_uid, {}, checksum, {}, {}, {}",
                       integer_in(dialect, "id"),
                       integer_in(dialect, "size"),
                       schema_.has_enc_version ? integer_in(dialect, "coalesce(enc_version, 0)")
                                               : "0",
                       schema_.has_enc_envkey ? "enc_envkey" : "NULL");
}

Status Metadata::each_blob_row(const std::function<Status(const BlockRow&)>& take) {
    DRYDOCK_TRY(check_uids(*sql_, "blocks"));
    return sql_->dialect() == SqlDialect::sqlite ? each_page_by_rowid(take)
                                                 : each_page_of_cursor(take);
}

// Pages by (uid, rowid). SQLite's index over uid ends with the rowid, so each page is found at
// once.
Status Metadata::each_page_by_rowid(const std::function<Status(const BlockRow&)>& take) {
    std::string last_uid;  // rows with no uid, or an empty one, are sparse
    std::int64_t last_row = INT64_MAX;
    while (true) {
        DRYDOCK_TRY_ASSIGN(
            SqlRows page,
            sql_->query(block_columns()
                            + fmt::format(", rowid FROM blocks WHERE (uid, rowid) > ($1, {}) "
                                          "ORDER BY uid, rowid LIMIT {}",
                                          last_row,
                                          k_page_rows),
                        {last_uid}));
        if (page.empty()) {
            return {};
        }
        const std::int64_t row = number_of(page.back()[7]);
        if (row == last_row) {
            DRYDOCK_TRY(check_page_advances("blocks", last_uid, text_of(page.back()[0])));
        }
        last_uid = text_of(page.back()[0]);
        last_row = row;
        DRYDOCK_TRY(take_page(page, take));
    }
}

// Reads the rows through a cursor. The order of an index depends on the database's collation, so it
// cannot serve. WITH HOLD lets the server sort once into a file of its own, and keeps neither a
// lock nor a transaction.
Status Metadata::each_page_of_cursor(const std::function<Status(const BlockRow&)>& take) {
    DRYDOCK_TRY(sql_->execute("DECLARE drydock_rows NO SCROLL CURSOR WITH HOLD FOR "
                              + block_columns()
                              + " FROM blocks WHERE uid IS NOT NULL AND uid <> '' "
                                "ORDER BY uid COLLATE \"C\", version_uid, id"));
    Status status;
    while (status) {
        auto page = sql_->query(fmt::format("FETCH {} FROM drydock_rows", k_page_rows));
        if (!page || page->empty()) {
            status = page ? Status{} : tl::unexpected(page.error());
            break;
        }
        status = take_page(*page, take);
    }
    Status outcome = sql_->execute("CLOSE drydock_rows");
    return status ? outcome : status;
}

// Pages by position, so one page of a version is in memory at a time.
Status Metadata::each_row_of(const std::string& version_uid,
                             const std::function<Status(const BlockRow&)>& take) {
    std::int64_t last = -1;
    while (true) {
        DRYDOCK_TRY_ASSIGN(
            SqlRows page,
            sql_->query(block_columns()
                            + fmt::format(" FROM blocks WHERE version_uid = $1 AND id > {} AND {} "
                                          "ORDER BY id LIMIT {}",
                                          last,
                                          is_integer(sql_->dialect(), "id"),
                                          k_page_rows),
                        {version_uid}));
        if (page.empty()) {
            return {};
        }
        last = number_of(page.back()[2]);
        DRYDOCK_TRY(take_page(page, take));
    }
}

Result<std::optional<BlockRow>> Metadata::row_at(const std::string& version_uid, std::int64_t id) {
    DRYDOCK_TRY_ASSIGN(
        SqlRows rows,
        sql_->query(block_columns()
                        + fmt::format(" FROM blocks WHERE version_uid = $1 AND id = {}", id),
                    {version_uid}));
    return rows.empty() ? std::nullopt : std::optional(block_of(rows[0]));
}

Result<bool> Metadata::still_has(const BlockRow& row) {
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql_->query(
            fmt::format("SELECT 1 FROM blocks WHERE version_uid = $1 AND uid = $2 AND id = {}",
                        row.id),
            {row.version_uid, row.uid}));
    return !rows.empty();
}

Result<bool> Metadata::has_version(const std::string& uid) {
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql_->query("SELECT 1 FROM versions WHERE uid = $1", {uid}));
    return !rows.empty();
}

Result<std::int64_t> Metadata::orphan_rows() {
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql_->query("SELECT count(*) FROM blocks b WHERE NOT EXISTS (SELECT 1 FROM "
                                   "versions v WHERE v.uid = b.version_uid)"));
    return number_of(rows[0][0]);
}

Result<std::int64_t> Metadata::deleted_blocks() {
    DRYDOCK_TRY_ASSIGN(const SqlRows rows, sql_->query("SELECT count(*) FROM deleted_blocks"));
    return number_of(rows[0][0]);
}

Result<bool> Metadata::is_listed_as_deleted(const std::string& uid) {
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql_->query("SELECT 1 FROM deleted_blocks WHERE uid = $1 LIMIT 1", {uid}));
    return !rows.empty();
}

Result<std::unique_ptr<Metadata>> open_metadata(std::unique_ptr<Sql> sql) {
    auto metadata = std::make_unique<Metadata>(std::move(sql));
    DRYDOCK_TRY(metadata->read_schema());
    return metadata;
}

Result<std::unique_ptr<Metadata>> open_sqlite(const std::string& path) {
    DRYDOCK_TRY_ASSIGN(auto sql, connect_sqlite(path, SqlAccess::read));
    return open_metadata(std::move(sql));
}

}  // namespace drydock::mover::blocks
