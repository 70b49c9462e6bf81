// The schemas of backy2's metadata, recognised by their columns.
//
// The alembic head is no evidence: on SQLite a failed upgrade changes tables and leaves the head.
// So the columns decide, and a head that contradicts them marks a half-done upgrade.
#pragma once

#include "base/result.h"

#include <map>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// table -> column -> declared type, in upper case; "INTEGER NOT NULL"
using Columns = std::map<std::string, std::map<std::string, std::string>>;

struct Schema {
    std::string release;    // "2.9.7 to 2.9.18": the releases that make these columns
    std::string head;       // as alembic_version says; may be older than the columns
    std::string half_done;  // names of the half-done states; empty for a whole one
    std::string undo;       // SQL that takes all of them back; empty if there is no exact one
    bool has_enc_version = false;
    bool has_enc_envkey = false;

    bool operator==(const Schema&) const = default;
};

// Returns the counters of the table stats, in the order in which backy2 makes them.
[[nodiscard]] const std::vector<std::string>& stats_counters();

// True for the tables of backy2 and of its alembic.
[[nodiscard]] bool is_known_table(const std::string& name);

// True if the columns of encryption are all there, and as backy2 2.12 makes them.
[[nodiscard]] bool has_whole_encryption(const Columns& columns);
// True if some are there, or all of them but otherwise.
[[nodiscard]] bool has_partial_encryption(const Columns& columns);

// Errors: "blocks.schema" with the table and the column that are missing or unknown.
[[nodiscard]] Result<Schema> recognise(const Columns& columns, const std::string& head);

}  // namespace drydock::mover::blocks
