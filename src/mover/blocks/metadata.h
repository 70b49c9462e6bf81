// The metadata of a backy2 store: its versions and its block rows.
//
// Rows come in pages, so no lock is held during a callback, and backy2 can work meanwhile. An
// object belongs to one thread. The error of a callback ends the walk and is returned.
#pragma once

#include "mover/blocks/schema.h"
#include "mover/blocks/sql.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

struct VersionRow {
    std::string uid;
    std::string name;
    std::string snapshot;
    std::string date;            // as the database writes it
    std::int64_t blocks = 0;     // positions it must have
    std::int64_t rows = 0;       // positions that have a row
    std::int64_t sparse = 0;     // rows without a blob: zeros
    std::int64_t stray = 0;      // rows beyond its end, or at no position at all
    std::int64_t encrypted = 0;  // rows of enc_version 1
    std::int64_t bytes = 0;
    std::int64_t block_bytes = 0;  // the largest block of its rows; 0 without rows
    bool is_valid = false;         // as backy2 says
    bool is_protected = false;

    // True if each position has a row, and no row is elsewhere.
    [[nodiscard]] bool has_all_rows() const { return rows == blocks && stray == 0; }
};

// One position of one version. Positions share a blob by its uid.
struct BlockRow {
    std::string uid;  // of the blob; empty: a sparse block
    std::string version_uid;
    std::int64_t id = 0;  // offset / block size
    std::optional<std::string> checksum;
    std::int64_t size = 0;         // bytes of the plain block
    std::int64_t enc_version = 0;  // 0 raw, 1 encrypted
    std::string envelope;          // hex of the wrapped data key
};

class Metadata {
public:
    explicit Metadata(std::unique_ptr<Sql> sql) : sql_(std::move(sql)) {}

    // Reads the schema. Errors: "blocks.metadata", "blocks.schema" (not one of backy2).
    [[nodiscard]] Status read_schema();

    [[nodiscard]] const Schema& schema() const { return schema_; }

    [[nodiscard]] Sql& sql() { return *sql_; }

    // Error: "blocks.rows" for a uid that is no text.
    [[nodiscard]] Status each_version(const std::function<Status(const VersionRow&)>& take);
    // Returns the versions whose uid begins with `prefix`, but no more than two.
    [[nodiscard]] Result<std::vector<VersionRow>> versions_like(const std::string& prefix);
    // Returns the only version whose uid begins with `prefix`. Errors: "blocks.no_version",
    // "blocks.ambiguous".
    [[nodiscard]] Result<VersionRow> find_version(const std::string& prefix);
    // The rows that have a blob, ordered by the bytes of the blob's uid; orphans too. Error:
    // "blocks.rows" for a uid that is no text.
    [[nodiscard]] Status each_blob_row(const std::function<Status(const BlockRow&)>& take);
    // The rows of one version from position 0 on, in their order, sparse ones too.
    [[nodiscard]] Status each_row_of(const std::string& version_uid,
                                     const std::function<Status(const BlockRow&)>& take);
    // The row at a position as it is now; none if it went.
    [[nodiscard]] Result<std::optional<BlockRow>> row_at(const std::string& version_uid,
                                                         std::int64_t id);
    // False if the row went or changed its blob since it was read.
    [[nodiscard]] Result<bool> still_has(const BlockRow& row);
    [[nodiscard]] Result<bool> has_version(const std::string& uid);
    // Returns the number of rows without a version: they belong to no backup.
    [[nodiscard]] Result<std::int64_t> orphan_rows();
    // Returns the number of blobs that backy2 is going to delete.
    [[nodiscard]] Result<std::int64_t> deleted_blocks();
    [[nodiscard]] Result<bool> is_listed_as_deleted(const std::string& uid);

private:
    Status count_rows(VersionRow& version);
    Status each_page_by_rowid(const std::function<Status(const BlockRow&)>& take);
    Status each_page_of_cursor(const std::function<Status(const BlockRow&)>& take);
    [[nodiscard]] std::string block_columns() const;

    std::unique_ptr<Sql> sql_;
    Schema schema_;
};

[[nodiscard]] Result<std::unique_ptr<Metadata>> open_metadata(std::unique_ptr<Sql> sql);
// Opens an SQLite database. Writes nothing but the rollback of a killed writer. Errors as above.
[[nodiscard]] Result<std::unique_ptr<Metadata>> open_sqlite(const std::string& path);

}  // namespace drydock::mover::blocks
