// Plans the statements that lead from the present columns to those of 2.13.8.
//
// A state is given by its columns, so a half-done upgrade is only another starting point. Names and
// order of columns are those of backy2's own migrations: a dump of the schema is equal.
//
// New columns of the table blocks have a default while they are added, so no row is rewritten. The
// migration of backy2 rewrites every row and holds an exclusive lock meanwhile.
#include "mover/blocks/upgrade.h"

#include <fmt/format.h>

namespace drydock::mover::blocks {
namespace {

constexpr const char* k_stats_columns =
    "date, version_uid, version_name, version_size_bytes, version_size_blocks, bytes_read, "
    "blocks_read, bytes_written, blocks_written, bytes_found_dedup, blocks_found_dedup, "
    "bytes_sparse, blocks_sparse, duration_seconds";

// Collects the steps in the order of backy2's releases. Each step looks at the columns alone.
class Steps {
public:
    Steps(const Columns& columns, const Schema& schema, SqlDialect dialect)
        : columns_(columns)
        , schema_(schema)
        , is_sqlite_(dialect == SqlDialect::sqlite) {}

    std::vector<UpgradeStep> steps;

    Status add_all() {
        add_tags();
        add_expire();
        DRYDOCK_TRY(add_stats());
        add_encryption();
        add_head();
        return {};
    }

private:
    void add_tags() {
        if (!columns_.contains("tags")) {
            add("make the table tags",
                "CREATE TABLE tags (version_uid VARCHAR(36) NOT NULL, name VARCHAR NOT NULL, "
                "PRIMARY KEY (version_uid, name), "
                "FOREIGN KEY(version_uid) REFERENCES versions (uid))");
        }
    }

    [[nodiscard]] std::string timestamp_type() const {
        return is_sqlite_ ? "DATETIME" : "TIMESTAMP WITHOUT TIME ZONE";
    }

    // Adds versions.expire, or gives it a time of day. A date becomes its midnight, as backy2 reads
    // it.
    void add_expire() {
        const auto& versions = columns_.at("versions");
        const auto expire = versions.find("expire");
        if (expire == versions.end()) {
            add("add versions.expire",
                fmt::format("ALTER TABLE versions ADD COLUMN expire {}", timestamp_type()));
        } else if (expire->second == "DATE" && is_sqlite_) {
            add("give versions.expire a time of day",
                "ALTER TABLE versions RENAME COLUMN expire TO expire_date; "
                "ALTER TABLE versions ADD COLUMN expire DATETIME; "
                "UPDATE versions SET expire = CASE WHEN length(expire_date) = 10 "
                "THEN expire_date || ' 00:00:00.000000' ELSE expire_date END; "
                "ALTER TABLE versions DROP COLUMN expire_date");
        } else if (expire->second == "DATE") {
            add("give versions.expire a time of day",
                "ALTER TABLE versions ALTER COLUMN expire TYPE TIMESTAMP WITHOUT TIME ZONE");
        }
    }

    [[nodiscard]] std::string create_stats() const {
        std::string sql = fmt::format(
            "CREATE TABLE stats (date {} NOT NULL, id {} NOT NULL, version_uid VARCHAR(36), "
            "version_name VARCHAR NOT NULL",
            timestamp_type(),
            is_sqlite_ ? "INTEGER" : "SERIAL");
        for (const std::string& name : stats_counters()) {
            sql += fmt::format(", {} BIGINT NOT NULL", name);
        }
        return sql
               + ", PRIMARY KEY (id)); CREATE INDEX ix_stats_version_uid ON stats (version_uid)";
    }

    // Rebuilds stats with an id. A table stats_old is the rest of a failed rebuild and is used as
    // the source. With both tables the rows could be in either, so a person must decide.
    Status add_stats() {
        const bool has_old = columns_.contains("stats_old");
        const bool has_new = columns_.contains("stats") && columns_.at("stats").contains("id");
        if (has_new && !has_old) {
            return {};
        }
        if (has_old && columns_.contains("stats")) {
            return fail("blocks.schema",
                        "there are a table stats and a table stats_old",
                        "nobody can tell which statistics count: drop one of them by hand");
        }
        const std::string rename = has_old ? "" : "ALTER TABLE stats RENAME TO stats_old; ";
        add("rebuild stats with an id",
            fmt::format("{}{}; INSERT INTO stats ({}) SELECT {} FROM stats_old ORDER BY date, "
                        "version_uid; DROP TABLE stats_old",
                        rename,
                        create_stats(),
                        k_stats_columns,
                        k_stats_columns));
        return {};
    }

    // Returns the statement for one column. With a default no row is rewritten.
    [[nodiscard]] std::string encryption_column(const std::string& name) const {
        const char* type = name == "enc_envkey"    ? "VARCHAR(80)"
                           : name == "enc_version" ? "INTEGER NOT NULL DEFAULT 0"
                                                   : "VARCHAR(32)";
        return fmt::format("ALTER TABLE blocks ADD COLUMN {} {}", name, type);
    }

    // Adds the three columns. If an upgrade left one or two of them, they are dropped first: the
    // order of columns must be that of backy2.
    void add_encryption() {
        const auto& blocks = columns_.at("blocks");
        std::string drop;
        std::string sql;
        int present_count = 0;
        for (const char* name : {"enc_envkey", "enc_version", "enc_nonce"}) {
            const bool is_there = blocks.contains(name);
            present_count += is_there ? 1 : 0;
            drop += is_there ? fmt::format("ALTER TABLE blocks DROP COLUMN {}; ", name) : "";
            sql += (sql.empty() ? "" : "; ") + encryption_column(name);
        }
        if (has_whole_encryption(columns_)) {
            return;
        }
        const std::string no_default =
            is_sqlite_ ? "" : "; ALTER TABLE blocks ALTER COLUMN enc_version DROP DEFAULT";
        add(present_count == 0 ? "add the columns of encryption"
                               : "add the columns of encryption anew",
            drop + sql + no_default);
    }

    void add_head() {
        if (schema_.head == k_newest_head) {
            return;
        }
        const std::string table = columns_.contains("alembic_version")
                                      ? ""
                                      : "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT "
                                        "NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY "
                                        "(version_num)); ";
        add(fmt::format("set the alembic head {}", k_newest_head),
            fmt::format("{}DELETE FROM alembic_version; INSERT INTO alembic_version (version_num) "
                        "VALUES ('{}')",
                        table,
                        k_newest_head));
    }

    void add(std::string words, std::string sql) {
        steps.push_back({std::move(words), std::move(sql)});
    }

    const Columns& columns_;
    const Schema& schema_;
    bool is_sqlite_;
};

}  // namespace

Result<std::vector<UpgradeStep>>
plan_upgrade(const Columns& columns, const Schema& schema, SqlDialect dialect, UpgradeGoal goal) {
    if (goal == UpgradeGoal::undo) {
        if (schema.undo.empty()) {
            return fail("blocks.no_undo",
                        schema.half_done.empty()
                            ? std::string("no upgrade is half done")
                            : fmt::format("there is no exact undo of: {}", schema.half_done),
                        "a whole upgrade is taken back by the copy of the metadata");
        }
        return std::vector<UpgradeStep>{{"take back: " + schema.half_done, schema.undo}};
    }
    Steps plan(columns, schema, dialect);
    DRYDOCK_TRY(plan.add_all());
    return std::move(plan.steps);
}

}  // namespace drydock::mover::blocks
