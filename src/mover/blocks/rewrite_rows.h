// The rows of a rewrite: which blobs come next, and the switch of a batch from one to the other.
//
// An object belongs to one thread.
#pragma once

#include "mover/blocks/rewrite.h"

#include <string>
#include <vector>

namespace drydock::mover::blocks {

// A blob as its rows describe it.
struct Source {
    BlockRow row;
    std::string nonce;
    bool agrees = true;  // false: its rows contradict each other
};

class RewriteRows {
public:
    RewriteRows(Sql& sql, RewriteWork work) : sql_(sql), work_(work) {}

    // Blobs after `last_uid` in the database's order; none at the end.
    [[nodiscard]] Result<std::vector<Source>> next(const std::string& last_uid, std::size_t count);
    [[nodiscard]] Result<std::int64_t> count();
    // True if there is a blob to rewrite. With the index below it takes no longer for more rows;
    // without it a store whose blobs are all encrypted is read from one end to the other.
    [[nodiscard]] Result<bool> any();
    [[nodiscard]] Result<std::string> any_query();  // what any() asks
    // An index over plain blobs alone: it has no entry once all are encrypted. backy2 and its
    // migrations do not notice it. Of encrypt only; idempotent.
    [[nodiscard]] Status make_index();
    [[nodiscard]] Status drop_index();
    // One transaction. Rows that went or changed meanwhile are left out.
    [[nodiscard]] Status switch_rows(const std::vector<Rewritten>& blobs);
    [[nodiscard]] Status switch_back(const std::vector<Rewritten>& blobs);
    // A row that names the blob; none if nothing does.
    [[nodiscard]] Result<std::optional<BlockRow>> row_of(const std::string& uid);

private:
    Result<bool> has_index();

    Sql& sql_;
    RewriteWork work_;
};

}  // namespace drydock::mover::blocks
