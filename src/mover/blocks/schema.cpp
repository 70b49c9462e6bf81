// Recognises the release of a schema, and the states in which an upgrade broke off.
//
// First every table must have its required columns and no unknown ones: drydock does not guess
// about a schema that it has never seen. Then marks lead to the release: the columns that each of
// backy2's migrations added. The marks are tried from the newest to the oldest. A schema whose head
// is another than its release's head is half done.
#include "mover/blocks/schema.h"

#include <fmt/format.h>

#include <set>

namespace drydock::mover::blocks {
namespace {

struct Table {
    std::set<std::string> required;
    std::set<std::string> optional;
};

// The tables of all supported releases. A column that only some of them have is optional.
const std::map<std::string, Table>& known_tables() {
    static const std::set<std::string> stats = [] {
        std::set<std::string> columns = {"date", "version_uid", "version_name"};
        columns.insert(stats_counters().begin(), stats_counters().end());
        return columns;
    }();
    static const std::map<std::string, Table> tables = {
        {"versions",
         {{"uid", "date", "name", "snapshot_name", "size", "size_bytes", "valid", "protected"},
          {"expire"}}},
        {"blocks",
         {{"uid", "version_uid", "id", "date", "checksum", "size", "valid"},
          {"enc_version", "enc_envkey", "enc_nonce"}}},
        {"tags", {{"version_uid", "name"}, {}}},
        {"stats", {stats, {"id"}}},
        {"stats_old", {stats, {}}},
        {"deleted_blocks", {{"id", "uid", "size", "delete_candidate", "time"}, {}}}};
    return tables;
}

// All refusals have one remedy: a person looks at the schema.
tl::unexpected<Error> refuse(const std::string& message) {
    return fail("blocks.schema",
                message,
                "drydock reads the stores of backy2 2.9.6 to 2.13.8; look at the schema by hand");
}

using Names = std::map<std::string, std::string>;

// An unknown column is refused like a missing one: an upgrade could lose its values.
Status check_table(const std::string& name, const Table& expected, const Names& columns) {
    for (const std::string& column : expected.required) {
        if (!columns.contains(column)) {
            return refuse(fmt::format("table {} has no column {}", name, column));
        }
    }
    for (const auto& [column, type] : columns) {
        if (!expected.required.contains(column) && !expected.optional.contains(column)) {
            return refuse(fmt::format("table {} has the unknown column {}", name, column));
        }
    }
    return {};
}

// Names the types of the releases, on SQLite and on PostgreSQL. A schema without the column is
// older.
Status check_expire(const Names& versions) {
    const auto expire = versions.find("expire");
    for (const char* type : {"DATE", "DATETIME", "TIMESTAMP WITHOUT TIME ZONE"}) {
        if (expire == versions.end() || expire->second == type) {
            return {};
        }
    }
    return refuse(fmt::format("column expire of versions has the type {}", expire->second));
}

// Three tables are in all releases. `stats` may be renamed by a half-done upgrade.
Status check_tables(const Columns& columns) {
    for (const auto& [name, expected] : known_tables()) {
        if (const auto entry = columns.find(name); entry != columns.end()) {
            DRYDOCK_TRY(check_table(name, expected, entry->second));
        }
    }
    for (const char* name : {"versions", "blocks", "deleted_blocks"}) {
        if (!columns.contains(name)) {
            return refuse(fmt::format("there is no table {}", name));
        }
    }
    if (!columns.contains("stats") && !columns.contains("stats_old")) {
        return refuse("there is no table stats");
    }
    return check_expire(columns.at("versions"));
}

// The differences between releases. All other columns are in every release.
struct Marks {
    bool tags = false;
    std::string expire;  // its type; empty: no such column
    bool stats_id = false;
    bool stats_old = false;
    bool encryption = false;
};

// Collects the columns in which releases differ.
Marks marks_of(const Columns& columns) {
    Marks marks;
    marks.tags = columns.contains("tags");
    const Names& versions = columns.at("versions");
    if (const auto expire = versions.find("expire"); expire != versions.end()) {
        marks.expire = expire->second;
    }
    marks.stats_id = columns.contains("stats") && columns.at("stats").contains("id");
    marks.stats_old = columns.contains("stats_old");
    marks.encryption = has_whole_encryption(columns);
    return marks;
}

struct Release {
    const char* release;
    const char* head;
};

// Returns the newest release with all its columns present. 2.10.1 has a DATE in versions.expire,
// and later releases a time.
Release release_of(const Marks& marks) {
    if (marks.encryption) {
        return {"2.12.1 to 2.13.8", "30349b678801"};
    }
    if (marks.stats_id) {
        return {"2.11", "85966fcda5e6"};
    }
    if (!marks.expire.empty()) {
        return marks.expire == "DATE" ? Release{"2.10.1", "828da0fbbe8d"}
                                      : Release{"2.10.2 to 2.10.7", "cd3f15ae79f8"};
    }
    return marks.tags ? Release{"2.9.7 to 2.9.18", "29c655b78818"}
                      : Release{"2.9.6", "bbe7904bfc3a"};
}

// Returns the statements that drop the columns of encryption, as far as there are any.
std::string encryption_undo(const Names& blocks) {
    std::string sql;
    for (const char* name : {"enc_envkey", "enc_version", "enc_nonce"}) {
        if (blocks.contains(name)) {
            sql +=
                fmt::format("{}ALTER TABLE blocks DROP COLUMN {}", sql.empty() ? "" : "; ", name);
        }
    }
    return sql;
}

struct HalfDone {
    std::string name;
    std::string undo;  // empty: no exact one
};

// The three states that failed upgrades on SQLite leave, in the order of the upgrades.
std::vector<HalfDone>
half_done_states(const Marks& marks, const Columns& columns, const std::string& head) {
    std::vector<HalfDone> states;
    if (marks.expire == "DATE" && head == "29c655b78818") {
        states.push_back(
            {"column expire added, head not moved", "ALTER TABLE versions DROP COLUMN expire"});
    }
    if (marks.stats_old && columns.contains("stats")) {
        states.push_back({"a table stats beside stats_old", ""});
    } else if (marks.stats_old) {
        states.push_back({"stats renamed, not rebuilt", "ALTER TABLE stats_old RENAME TO stats"});
    }
    if (has_partial_encryption(columns)) {
        states.push_back({"columns of encryption added in part, or of other types",
                          encryption_undo(columns.at("blocks"))});
    }
    return states;
}

// The release whose columns are left when the half-done states are taken back.
Release release_before(Marks marks, const std::string& head) {
    marks.expire = head == "29c655b78818" && marks.expire == "DATE" ? "" : marks.expire;
    marks.stats_id = marks.stats_id && !marks.stats_old;
    return release_of(marks);
}

// Joins the half-done states and their undos. An undo runs from the latest state to the first one,
// and only if each state has an exact undo.
void name_half_done(Schema& schema, const Marks& marks, const Columns& columns) {
    std::vector<HalfDone> states = half_done_states(marks, columns, schema.head);
    const Release whole = release_before(marks, schema.head);
    if (schema.head != whole.head) {
        const std::string head = schema.head.empty() ? "none" : schema.head;
        states.push_back({fmt::format("columns of {} under the head {}", whole.release, head), ""});
    }
    bool is_exact = true;
    for (const HalfDone& state : states) {
        schema.half_done += (schema.half_done.empty() ? "" : "; ") + state.name;
        schema.undo = state.undo + (schema.undo.empty() ? "" : "; ") + schema.undo;
        is_exact = is_exact && !state.undo.empty();
    }
    schema.undo = is_exact ? schema.undo : "";
}

}  // namespace

const std::vector<std::string>& stats_counters() {
    static const std::vector<std::string> counters = {"version_size_bytes",
                                                      "version_size_blocks",
                                                      "bytes_read",
                                                      "blocks_read",
                                                      "bytes_written",
                                                      "blocks_written",
                                                      "bytes_found_dedup",
                                                      "blocks_found_dedup",
                                                      "bytes_sparse",
                                                      "blocks_sparse",
                                                      "duration_seconds"};
    return counters;
}

bool is_known_table(const std::string& name) {
    return name == "alembic_version" || known_tables().contains(name);
}

// Types count, too: an ALTER TABLE by hand may have made columns that backy2 cannot use.
bool has_whole_encryption(const Columns& columns) {
    const Names& blocks = columns.at("blocks");
    const auto has_column = [&](const char* name, const char* type, const char* other_type) {
        const auto column = blocks.find(name);
        return column != blocks.end() && (column->second == type || column->second == other_type);
    };
    return has_column("enc_version", "INTEGER NOT NULL", "")
           && has_column("enc_envkey", "VARCHAR(80)", "CHARACTER VARYING")
           && has_column("enc_nonce", "VARCHAR(32)", "CHARACTER VARYING");
}

bool has_partial_encryption(const Columns& columns) {
    const Names& blocks = columns.at("blocks");
    const bool has_any = blocks.contains("enc_version") || blocks.contains("enc_envkey")
                         || blocks.contains("enc_nonce");
    return has_any && !has_whole_encryption(columns);
}

// The head comes from alembic_version and is only compared: the columns decide.
Result<Schema> recognise(const Columns& columns, const std::string& head) {
    DRYDOCK_TRY(check_tables(columns));
    const Marks marks = marks_of(columns);
    Schema schema;
    schema.release = release_of(marks).release;
    schema.head = head;
    schema.has_enc_version = columns.at("blocks").contains("enc_version");
    schema.has_enc_envkey = columns.at("blocks").contains("enc_envkey");
    name_half_done(schema, marks, columns);
    return schema;
}

}  // namespace drydock::mover::blocks
