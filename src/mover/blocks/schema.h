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

// table -> column -> declared type, in upper case
using Columns = std::map<std::string, std::map<std::string, std::string>>;

struct Schema {
    std::string release;    // "2.9.7 to 2.9.18": the releases that make these columns
    std::string head;       // as alembic_version says; may be older than the columns
    std::string half_done;  // name of the half-done state; empty for a whole one
    std::string undo;       // SQL that takes the half-done step back; may be empty
    bool has_enc_version = false;
    bool has_enc_envkey = false;

    bool operator==(const Schema&) const = default;
};

// Returns the counters of the table stats, in the order in which backy2 makes them.
[[nodiscard]] const std::vector<std::string>& stats_counters();

// Recognises a schema. Error: "blocks.schema" with the table and the column that are missing or
// unknown.
[[nodiscard]] Result<Schema> recognise(const Columns& columns, const std::string& head);

}  // namespace drydock::mover::blocks
