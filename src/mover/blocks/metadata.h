// The metadata of a backy2 store: its versions and its block rows, read and never written.
//
// One implementation for each database. Rows come in pages, so no lock is held while blobs are
// read: backy2 can work meanwhile. An object belongs to one thread.
#pragma once

#include "mover/blocks/schema.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace drydock::mover::blocks {

struct VersionRow {
    std::string uid;
    std::string name;
    std::int64_t blocks = 0;  // positions it must have
    std::int64_t rows = 0;    // positions that have a row
    std::int64_t sparse = 0;  // rows without a blob: zeros
    std::int64_t bytes = 0;
    bool valid = false;  // as backy2 says
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
    virtual ~Metadata() = default;
    [[nodiscard]] virtual const Schema& schema() const = 0;
    // Calls `take` for each; an error of `take` ends it and is answered.
    [[nodiscard]] virtual Status
    each_version(const std::function<Status(const VersionRow&)>& take) = 0;
    // The rows that have a blob, ordered by blob uid.
    [[nodiscard]] virtual Status
    each_blob_row(const std::function<Status(const BlockRow&)>& take) = 0;
    // The rows of one version, ordered by position, sparse ones too.
    [[nodiscard]] virtual Status
    each_row_of(const std::string& version_uid,
                const std::function<Status(const BlockRow&)>& take) = 0;
    // False if the row went or changed its blob since it was read.
    [[nodiscard]] virtual Result<bool> still_has(const BlockRow& row) = 0;
};

// Opens read-only. Errors: "blocks.metadata" (no SQLite database, damaged, locked),
// "blocks.schema" (not a schema of backy2).
[[nodiscard]] Result<std::unique_ptr<Metadata>> open_sqlite(const std::string& path);

}  // namespace drydock::mover::blocks
