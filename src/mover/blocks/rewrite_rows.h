// The rows of a rewrite: the next blobs, and the switch of a batch from old to new ones.
//
// An object belongs to one thread.
#pragma once

#include "mover/blocks/rewrite.h"

#include <string>
#include <vector>

namespace drydock::mover::blocks {

// A blob as its rows describe it.
struct SourceBlob {
    BlockRow row;
    std::string nonce;
    bool has_consistent_rows = true;  // false: its rows contradict each other
};

class RewriteRows {
public:
    RewriteRows(Sql& sql, RewriteWork work) : sql_(sql), work_(work) {}

    // Blobs after `last_uid` in the database's order; none at the end.
    [[nodiscard]] Result<std::vector<SourceBlob>> next(const std::string& last_uid,
                                                       std::size_t count);
    // Blobs of rows whose enc_version is neither 0 nor 1, after `last_uid`; none at the end.
    [[nodiscard]] Result<std::vector<BlockRow>> next_strange(const std::string& last_uid);
    // Returns the number of blobs to rewrite: by their rows, the plain ones; for rekey, the
    // encrypted ones.
    [[nodiscard]] Result<std::int64_t> count();
    // True if there is a blob to rewrite. With the index below the time does not grow with the
    // rows. Without it, a store with only encrypted blobs is read from end to end.
    [[nodiscard]] Result<bool> has_any();
    [[nodiscard]] Result<std::string> any_query();  // the query of has_any()
    // An index over blobs that are not encrypted: it has no entry once all are encrypted. backy2
    // and its migrations do not notice it. Of encrypt only; idempotent.
    [[nodiscard]] Status make_index();
    [[nodiscard]] Status drop_index();
    // Switches rows in one transaction. Rows that were removed or changed meanwhile are left out.
    [[nodiscard]] Status switch_rows(const std::vector<RewrittenBlob>& blobs);
    [[nodiscard]] Status switch_back(const std::vector<RewrittenBlob>& blobs);
    // Returns a row that names the blob; nothing if no row does.
    [[nodiscard]] Result<std::optional<BlockRow>> row_of(const std::string& uid);

private:
    Result<bool> has_index();

    Sql& sql_;
    RewriteWork work_;
};

}  // namespace drydock::mover::blocks
