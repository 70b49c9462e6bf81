// Carries out the steps of an upgrade in one transaction, and reads the result back.
#include "mover/blocks/upgrade.h"

#include <fmt/format.h>

#include <chrono>

namespace drydock::mover::blocks {
namespace {

struct Found {
    Columns columns;
    Schema schema;
};

Result<Found> look(Sql& sql) {
    Found found;
    DRYDOCK_TRY_ASSIGN(found.columns, sql.columns());
    std::string head;
    if (found.columns.contains("alembic_version")) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql.query("SELECT version_num FROM alembic_version"));
        head = rows.empty() ? "" : text_of(rows[0][0]);
    }
    DRYDOCK_TRY_ASSIGN(found.schema, recognise(found.columns, head));
    return found;
}

Result<RowCounts> count_rows(Sql& sql, const Columns& columns) {
    RowCounts counts;
    for (const char* table :
         {"versions", "tags", "blocks", "deleted_blocks", "stats", "stats_old"}) {
        if (columns.contains(table)) {
            DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                               sql.query(fmt::format("SELECT count(*) FROM {}", table)));
            counts[table == std::string("stats_old") ? "stats" : table] = number_of(rows[0][0]);
        }
    }
    counts.try_emplace("tags", 0);
    return counts;
}

// A column that is dropped, because an upgrade broke off, must hold nothing.
Status check_nothing_is_dropped(Sql& sql, const Found& found) {
    const auto& blocks = found.columns.at("blocks");
    std::string used;
    for (const char* name : {"enc_envkey", "enc_version", "enc_nonce"}) {
        if (blocks.contains(name)) {
            used += fmt::format("{}({} IS NOT NULL{})",
                                used.empty() ? "" : " OR ",
                                name,
                                name == std::string("enc_version") ? " AND enc_version <> 0" : "");
        }
    }
    const bool is_whole = found.schema.half_done != "columns of encryption added in part";
    if (is_whole || used.empty()) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql.query("SELECT 1 FROM blocks WHERE " + used + " LIMIT 1"));
    if (!rows.empty()) {
        return fail("blocks.upgrade",
                    "the columns of encryption are there in part, and hold values",
                    "look at the table blocks by hand");
    }
    return {};
}

Status check_no_expiry_is_dropped(Sql& sql, const Found& found, UpgradeGoal goal) {
    if (goal != UpgradeGoal::undo
        || found.schema.half_done != "column expire added, head not moved") {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql.query("SELECT 1 FROM versions WHERE expire IS NOT NULL LIMIT 1"));
    if (!rows.empty()) {
        return fail("blocks.upgrade",
                    "versions.expire has values that the undo would drop",
                    "upgrade the store instead; that keeps them");
    }
    return {};
}

Status
check_result(const UpgradeReport& report, const UpgradeRequest& request, const RowCounts& now) {
    const bool is_newest = report.after.head == k_newest_head && report.after.has_enc_version;
    if (!report.after.half_done.empty() || (request.goal == UpgradeGoal::newest && !is_newest)) {
        return fail("blocks.upgrade",
                    fmt::format("the result is no whole schema: {}", report.after.half_done),
                    "nothing was changed; look at the schema by hand");
    }
    if (now != report.rows) {
        return fail("blocks.upgrade",
                    "a table has other rows than before",
                    "nothing was changed; let nobody write meanwhile");
    }
    return {};
}

using Clock = std::chrono::steady_clock;

Status carry_out(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    const auto begun = Clock::now();
    for (const UpgradeStep& step : report.steps) {
        DRYDOCK_TRY(sql.execute(step.sql));
    }
    DRYDOCK_TRY_ASSIGN(const Found after, look(sql));
    report.after = after.schema;
    DRYDOCK_TRY_ASSIGN(const RowCounts now, count_rows(sql, after.columns));
    DRYDOCK_TRY(check_result(report, request, now));
    report.lock_us =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begun).count();
    return {};
}

Result<std::vector<UpgradeStep>> plan_for(Sql& sql, const Found& found, UpgradeGoal goal) {
    DRYDOCK_TRY(check_nothing_is_dropped(sql, found));
    DRYDOCK_TRY(check_no_expiry_is_dropped(sql, found, goal));
    return plan_upgrade(found.columns, found.schema, sql.dialect(), goal);
}

Status work(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    DRYDOCK_TRY_ASSIGN(const Found found, look(sql));
    report.before = found.schema;
    report.after = found.schema;
    DRYDOCK_TRY_ASSIGN(report.steps, plan_for(sql, found, request.goal));
    DRYDOCK_TRY_ASSIGN(report.rows, count_rows(sql, found.columns));
    if (report.steps.empty() || request.dry_run) {
        return {};
    }
    if (request.copy) {
        DRYDOCK_TRY(request.copy(sql));
    }
    return carry_out(sql, request, report);
}

}  // namespace

Result<UpgradeReport> upgrade(Sql& sql, const UpgradeRequest& request) {
    UpgradeReport report;
    const auto run = [&] { return work(sql, request, report); };
    const Status done = request.dry_run ? run() : in_transaction(sql, run);
    if (!done) {
        return tl::unexpected(done.error().in("metadata " + sql.name()));
    }
    return report;
}

}  // namespace drydock::mover::blocks
