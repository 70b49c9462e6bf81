// Run rows: the statements over the tables `runs`, `records` and `leases`, without locks and
// transactions.
//
// Every function runs in the caller's transaction. Not thread-safe, like the database.
#pragma once

#include "journal/journal.h"
#include "journal/sqlite/database.h"

#include <functional>

namespace drydock::journal {

struct Row {
    std::int64_t number = 0;
    Holder last_holder;
    RunInfo info;  // without holder
};

// Returns the row of a run; journal.run.unknown names the nearest known id.
[[nodiscard]] Result<Row> find_row(Database& database, const std::string& run);
[[nodiscard]] bool has_row(Database& database, const std::string& run);
// Returns all rows, oldest first.
[[nodiscard]] Result<std::vector<Row>> list_rows(Database& database);

// Inserts an empty run; returns its number.
[[nodiscard]] Result<std::int64_t> insert_run(Database& database, const NewRun& run);
// Raises the epoch over every epoch of the journal, for `holder`, under a new nonce; returns it.
[[nodiscard]] Result<std::uint64_t>
raise_epoch(Database& database, std::int64_t number, const Holder& holder);
// Returns the latest leases of all runs, the newest last.
[[nodiscard]] Result<std::vector<GivenLease>> list_leases(Database& database);
// Writes one record behind the row's head, with its state; returns the new head.
[[nodiscard]] Result<Head>
insert_record(Database& database, const Row& row, const std::string& text, const Entry& entry);

// Walks the records after `skipped` in order; each is verified against the record before.
using VisitRecord = std::function<Status(Record record, std::string_view events)>;
[[nodiscard]] Status
walk_records(Database& database, const Row& row, std::uint64_t skipped, const VisitRecord& visit);

}  // namespace drydock::journal
