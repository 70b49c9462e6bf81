// Upgrades the schema of a store to that of backy2 2.13.8, or takes a half-done upgrade back.
//
// One transaction does all or nothing. Rows are kept as they are: tags, expiry with its time of
// day, statistics, deleted_blocks. The result is read back before the commit.
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
    std::string title;  // for people
    std::string sql;    // one statement or several
};

enum class UpgradeGoal : std::uint8_t { newest, undo };

// Returns the steps from a schema; none if it is the newest. Errors: "blocks.no_undo" if no upgrade
// is half done, or it has no exact undo; "blocks.schema" for a state that cannot be upgraded.
[[nodiscard]] Result<std::vector<UpgradeStep>>
plan_upgrade(const Columns& columns, const Schema& schema, SqlDialect dialect, UpgradeGoal goal);

// The number of rows of each table. "stats_old" counts as "stats".
using RowCounts = std::map<std::string, std::int64_t>;

struct UpgradeReport {
    Schema old_schema;
    Schema new_schema;
    std::vector<UpgradeStep> steps;
    RowCounts rows;
    std::int64_t lock_us = 0;  // time for which the tables were locked
};

struct UpgradeRequest {
    UpgradeGoal goal = UpgradeGoal::newest;
    bool dry_run = false;
    // Makes the copy of the metadata. On SQLite no other program can write meanwhile. An error ends
    // the upgrade.
    std::function<Status(Sql&)> copy;
    bool copy_only = false;  // makes the copy, also if the schema is the goal, and changes nothing
};

// Upgrades a schema. `sql` may write, unless it is a dry run. Errors: those above and of the
// metadata; "blocks.busy" if other programs hold the tables; "blocks.upgrade" for a result that is
// not the goal. PostgreSQL names the programs. After an error nothing has changed.
[[nodiscard]] Result<UpgradeReport> upgrade(Sql& sql, const UpgradeRequest& request);

}  // namespace drydock::mover::blocks
