// Carries out the steps of an upgrade in one transaction, and reads the result back.
//
// SQLite: the transaction begins before the first look, so no other program can write between the
// plan and the commit. PostgreSQL: the plan, the counts of all tables and the copy come first,
// without a lock, because backups go on meanwhile. Then the tables are locked, the schema is
// compared with the schema of the plan, and the steps run.
//
// The proof comes before the commit. The columns are read again and must be those of the goal, and
// the tables must have as many rows as before. Under PostgreSQL's lock only the small tables are
// counted.
#include "mover/blocks/upgrade.h"

#include <fmt/format.h>

#include <chrono>

namespace drydock::mover::blocks {
namespace {

struct SchemaState {
    Columns columns;
    Schema schema;
};

// Reads the columns and recognises the schema.
Result<SchemaState> read_state(Sql& sql) {
    SchemaState state;
    DRYDOCK_TRY_ASSIGN(state.columns, sql.columns());
    std::string head;
    if (state.columns.contains("alembic_version")) {
        DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                           sql.query("SELECT version_num FROM alembic_version"));
        head = rows.empty() ? "" : text_of(rows[0][0]);
    }
    DRYDOCK_TRY_ASSIGN(state.schema, recognise(state.columns, head));
    return state;
}

// Counts the rows of each table. `is_quick` leaves large tables out, since other programs wait for
// the lock meanwhile.
Result<RowCounts> count_rows(Sql& sql, const Columns& columns, bool is_quick) {
    RowCounts counts;
    for (const std::string table :
         {"versions", "tags", "stats", "stats_old", "blocks", "deleted_blocks"}) {
        const bool is_large = table == "blocks" || table == "deleted_blocks";
        if (columns.contains(table) && !(is_quick && is_large)) {
            DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                               sql.query(fmt::format("SELECT count(*) FROM {}", table)));
            counts[table == "stats_old" ? "stats" : table] = number_of(rows[0][0]);
        }
    }
    counts.try_emplace("tags", 0);
    return counts;
}

// Refuses to drop columns of encryption that hold values. A half-done upgrade leaves them empty.
Status check_nothing_is_dropped(Sql& sql, const SchemaState& state) {
    const auto& blocks = state.columns.at("blocks");
    std::string condition;
    for (const char* name : {"enc_envkey", "enc_version", "enc_nonce"}) {
        if (blocks.contains(name)) {
            condition +=
                fmt::format("{}({} IS NOT NULL{})",
                            condition.empty() ? "" : " OR ",
                            name,
                            name == std::string("enc_version") ? " AND enc_version <> 0" : "");
        }
    }
    if (!has_partial_encryption(state.columns)) {
        return {};
    }
    DRYDOCK_TRY_ASSIGN(const SqlRows rows,
                       sql.query("SELECT 1 FROM blocks WHERE " + condition + " LIMIT 1"));
    if (!rows.empty()) {
        return fail(
            "blocks.upgrade",
            "the columns of encryption are there in part or of other types, and hold values",
            "look at the table blocks by hand");
    }
    return {};
}

// Refuses an undo that would drop the expiry of a version.
Status check_no_expiry_is_dropped(Sql& sql, const SchemaState& state, UpgradeGoal goal) {
    if (goal != UpgradeGoal::undo
        || state.schema.undo.find("DROP COLUMN expire") == std::string::npos) {
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

// Compares the result with the goal. An error rolls the transaction back.
Status
check_result(const UpgradeReport& report, const UpgradeRequest& request, bool has_same_rows) {
    const bool is_newest =
        report.new_schema.head == k_newest_head && report.new_schema.has_enc_version;
    if (!report.new_schema.half_done.empty()
        || (request.goal == UpgradeGoal::newest && !is_newest)) {
        return fail("blocks.upgrade",
                    fmt::format("the result is no whole schema: {}", report.new_schema.half_done),
                    "nothing was changed; look at the schema by hand");
    }
    if (!has_same_rows) {
        return fail("blocks.upgrade",
                    "a table has other rows than before",
                    "nothing was changed; let nobody write meanwhile");
    }
    return {};
}

// Locks all tables, and waits a second at most: every later user of a table waits behind a waiting
// lock.
Status lock_tables(Sql& sql, const Columns& columns) {
    std::string tables;
    for (const auto& [table, unused] : columns) {
        tables += (tables.empty() ? "" : ", ") + table;
    }
    return sql.execute("SET LOCAL lock_timeout = '1s'; LOCK TABLE " + tables
                       + " IN ACCESS EXCLUSIVE MODE");
}

using Clock = std::chrono::steady_clock;

// Runs the steps in the caller's transaction and compares the result with the goal.
Status run_steps(Sql& sql,
                 const UpgradeRequest& request,
                 const SchemaState& state,
                 UpgradeReport& report) {
    const bool is_quick = sql.dialect() == SqlDialect::postgresql;
    DRYDOCK_TRY_ASSIGN(const RowCounts rows_before, count_rows(sql, state.columns, is_quick));
    for (const UpgradeStep& step : report.steps) {
        DRYDOCK_TRY(sql.execute(step.sql));
    }
    DRYDOCK_TRY_ASSIGN(const SchemaState state_after, read_state(sql));
    report.new_schema = state_after.schema;
    DRYDOCK_TRY_ASSIGN(const RowCounts rows_after, count_rows(sql, state_after.columns, is_quick));
    return check_result(report, request, rows_after == rows_before);
}

// Runs the steps if the schema is still that of the plan.
Status run_steps_if_same(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    DRYDOCK_TRY_ASSIGN(const SchemaState state, read_state(sql));
    if (!(state.schema == report.old_schema)) {
        return fail("blocks.busy",
                    "somebody else changes the schema",
                    "let it end, and say it again",
                    ErrorClass::transient);
    }
    return run_steps(sql, request, state, report);
}

// Commits, or leaves everything unchanged. The time of the lock starts when the tables are locked.
Status run_steps_locked(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    auto start = Clock::now();
    Status status = in_transaction(sql, [&]() -> Status {
        DRYDOCK_TRY_ASSIGN(const Columns columns, sql.columns());
        Status lock = lock_tables(sql, columns);
        start = Clock::now();
        return lock ? run_steps_if_same(sql, request, report) : lock;
    });
    report.lock_us =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
    return status;
}

// Refuses views and foreign keys of other programs on backy2's tables. When a copy is put back,
// they would stay with the tables that it replaces.
Status check_nothing_depends(Sql& sql) {
    if (sql.dialect() == SqlDialect::sqlite) {
        return {};  // a file with views is not opened
    }
    DRYDOCK_TRY_ASSIGN(
        const SqlRows rows,
        sql.query(
            "WITH ours AS (SELECT oid FROM pg_class WHERE relkind IN ('r', 'p') AND "
            "pg_table_is_visible(oid) AND relname IN ('versions', 'blocks', 'tags', 'stats', "
            "'stats_old', 'deleted_blocks', 'alembic_version')) "
            "SELECT 'the view ' || r.ev_class::regclass::text FROM pg_depend d JOIN "
            "pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid WHERE "
            "d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM ours) AND "
            "r.ev_class NOT IN (SELECT oid FROM ours) UNION "
            "SELECT 'a foreign key of ' || conrelid::regclass::text FROM pg_constraint WHERE "
            "contype = 'f' AND confrelid IN (SELECT oid FROM ours) AND conrelid NOT IN "
            "(SELECT oid FROM ours) ORDER BY 1 LIMIT 5"));
    std::string names;
    for (const SqlRow& row : rows) {
        names += (names.empty() ? "" : ", ") + text_of(row[0]);
    }
    return rows.empty() ? Status{}
                        : fail("blocks.upgrade",
                               "objects that are not backy2's use its tables: " + names,
                               "drop them, and make them again when the store is as it shall be");
}

// Refuses before planning if a step would drop values.
Result<std::vector<UpgradeStep>> plan_for(Sql& sql, const SchemaState& state, UpgradeGoal goal) {
    DRYDOCK_TRY(check_nothing_is_dropped(sql, state));
    DRYDOCK_TRY(check_no_expiry_is_dropped(sql, state, goal));
    return plan_upgrade(state.columns, state.schema, sql.dialect(), goal);
}

// Makes the plan and the copy. Nothing is changed so far, and a dry run ends here, as does a call
// for the copy alone.
Result<SchemaState> prepare(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    DRYDOCK_TRY_ASSIGN(SchemaState state, read_state(sql));
    report.old_schema = state.schema;
    report.new_schema = state.schema;
    DRYDOCK_TRY_ASSIGN(report.steps, plan_for(sql, state, request.goal));
    DRYDOCK_TRY(report.steps.empty() ? Status{} : check_nothing_depends(sql));
    DRYDOCK_TRY_ASSIGN(report.rows, count_rows(sql, state.columns, false));
    const bool is_copied = !request.dry_run && (request.copy_only || !report.steps.empty());
    if (is_copied && request.copy) {
        DRYDOCK_TRY(request.copy(sql));
    }
    return state;
}

bool has_work(const UpgradeRequest& request, const UpgradeReport& report) {
    return !request.copy_only && !report.steps.empty();
}

// Upgrades SQLite. Other programs cannot write from the first look on; readers wait for the commit
// only.
Status upgrade_sqlite(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    return in_transaction(sql, [&]() -> Status {
        DRYDOCK_TRY_ASSIGN(const SchemaState state, prepare(sql, request, report));
        const auto start = Clock::now();
        if (has_work(request, report)) {
            DRYDOCK_TRY(run_steps(sql, request, state, report));
        }
        report.lock_us =
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
        return {};
    });
}

// Without steps no lock is taken.
Status upgrade_postgres(Sql& sql, const UpgradeRequest& request, UpgradeReport& report) {
    DRYDOCK_TRY(prepare(sql, request, report));
    if (has_work(request, report)) {
        return run_steps_locked(sql, request, report);
    }
    return {};
}

// Names the processes that hold the tables; empty if there are none any more. The statement of a
// killed client may still run.
std::string holders_of(Sql& sql) {
    const auto rows =
        sql.query("SELECT DISTINCT a.pid, a.usename, a.application_name, a.state, "
                  "left(a.query, 60) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN "
                  "pg_stat_activity a ON a.pid = l.pid WHERE c.relname IN ('versions', 'blocks', "
                  "'tags', 'stats', 'deleted_blocks', 'alembic_version') AND "
                  "pg_table_is_visible(c.oid) AND a.pid <> "
                  "pg_backend_pid() ORDER BY a.pid LIMIT 5");
    std::string words;
    for (const SqlRow& row : rows ? *rows : SqlRows()) {
        words += fmt::format("; process {} of {} ({}, {}): {}",
                             text_of(row[0]),
                             text_of(row[1]),
                             text_of(row[2]),
                             text_of(row[3]),
                             text_of(row[4]));
    }
    return words;
}

}  // namespace

// "blocks.busy" names the processes that hold the tables, since a person has to end them.
Result<UpgradeReport> upgrade(Sql& sql, const UpgradeRequest& request) {
    UpgradeReport report;
    const bool is_sqlite = sql.dialect() == SqlDialect::sqlite;
    Status status;
    if (request.dry_run) {
        const auto state = prepare(sql, request, report);
        status = state ? Status{} : tl::unexpected(state.error());
    } else {
        status = is_sqlite ? upgrade_sqlite(sql, request, report)
                           : upgrade_postgres(sql, request, report);
    }
    if (!status) {
        Error error = status.error().with_context("metadata " + sql.name());
        error.message += error.code == "blocks.busy" && !is_sqlite ? holders_of(sql) : "";
        return tl::unexpected(std::move(error));
    }
    return report;
}

}  // namespace drydock::mover::blocks
