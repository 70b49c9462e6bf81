// The schema of a store raised to that of backy2 2.13.8, or a half-done upgrade taken back.
//
// One transaction: all of it, or nothing. Rows are kept as they are: tags, expiry with its time of
// day, statistics, deleted_blocks. What was done is read back before the commit.
#pragma once

#include "mover/blocks/metadata.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

inline constexpr const char* k_newest_head = "30349b678801";

struct UpgradeStep {
    std::string words;  // for people
    std::string sql;    // one statement or several
};

enum class UpgradeGoal : std::uint8_t { newest, undo };

// The steps from a schema; none if it is there already. Errors: "blocks.no_undo" if there is
// nothing to take back, or no exact way; "blocks.schema" for a state that cannot be raised.
[[nodiscard]] Result<std::vector<UpgradeStep>>
plan_upgrade(const Columns& columns, const Schema& schema, SqlDialect dialect, UpgradeGoal goal);

// Rows of each table. "stats_old" counts as "stats".
using RowCounts = std::map<std::string, std::int64_t>;

struct UpgradeReport {
    Schema before;
    Schema after;
    std::vector<UpgradeStep> steps;
    RowCounts rows;
    std::int64_t lock_us = 0;  // how long others had to wait for the tables
};

struct UpgradeRequest {
    UpgradeGoal goal = UpgradeGoal::newest;
    bool dry_run = false;
    // Makes the copy of the metadata. SQLite: nobody can write meanwhile. An error ends the
    // upgrade.
    std::function<Status(Sql&)> copy;
};

// `sql` may write, unless it is a dry run. Errors: those above and of the metadata;
// "blocks.busy" if others hold
// the tables (PostgreSQL names them); "blocks.upgrade" if the result is not what was meant. After
// an error nothing has changed.
[[nodiscard]] Result<UpgradeReport> upgrade(Sql& sql, const UpgradeRequest& request);

}  // namespace drydock::mover::blocks
