#include "journal/sqlite/sqlite_journal.h"

#include "base/check.h"
#include "journal/answers.h"
#include "journal/chain.h"
#include "journal/sqlite/database.h"
#include "journal/sqlite/lease_file.h"
#include "journal/sqlite/schema.h"

#include <algorithm>
#include <map>

namespace drydock::journal {

namespace {

constexpr int k_sequence_bits = 32;  // schema.cpp: a record's place
constexpr std::uint64_t k_records_max = (std::uint64_t{1} << k_sequence_bits) - 1;

constexpr const char* k_select_runs =
    "SELECT number, id, created_ms, plan_digest, state, epoch, host, pid, since_ms, records, head"
    " FROM runs ";

struct Row {
    std::int64_t number = 0;
    Holder last_holder;
    RunInfo info;
};

struct Lease {
    std::int64_t number = 0;
    std::uint64_t epoch = 0;
};

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Bytes of a wrong length become a digest that matches nothing.
Digest to_digest(std::string_view bytes) {
    Digest digest{};
    if (bytes.size() == digest.size()) {
        std::ranges::transform(
            bytes, digest.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    }
    return digest;
}

std::int64_t place_of(std::int64_t number, std::uint64_t sequence) {
    return (number << k_sequence_bits) + static_cast<std::int64_t>(sequence);
}

Row read_row(const Statement& statement) {
    Row row;
    row.number = statement.integer(0);
    row.info.run = {statement.text(1), statement.integer(2), statement.text(3)};
    row.info.state = statement.text(4);
    row.info.epoch = static_cast<std::uint64_t>(statement.integer(5));
    row.last_holder = {statement.text(6), statement.integer(7), statement.integer(8)};
    row.info.head = {static_cast<std::uint64_t>(statement.integer(9)),
                     to_digest(statement.bytes(10))};
    return row;
}

// JSON text starts with '[', a zstd frame never does: no marker is needed.
std::string pack_events(std::string_view text) {
    std::string packed = compress(text);
    return packed.size() < text.size() ? packed : std::string(text);
}

Result<std::string> unpack_events(std::string_view stored) {
    if (stored.starts_with('[')) {
        return std::string(stored);
    }
    return decompress(stored, k_payload_bytes_max);
}

class SqliteJournal final : public Journal {
public:
    SqliteJournal(Database database, LeaseFile lease_file)
        : database_(std::move(database))
        , lease_file_(std::move(lease_file)) {}

    Status create_run(const NewRun& run) override;
    Result<std::vector<RunInfo>> list_runs() override;
    Result<RunInfo> find_run(const std::string& run) override;
    Result<Head>
    append(const std::string& run, std::int64_t wall_ms, const std::vector<Json>& events) override;
    Result<std::vector<Record>> read(const std::string& run, std::uint64_t from_sequence) override;
    Result<Head> verify(const std::string& run) override;
    Status set_state(const std::string& run, const std::string& state) override;
    Result<std::uint64_t> take_lease(const std::string& run, const Holder& who) override;
    void release_lease(const std::string& run) override;

private:
    using Visit = std::function<Status(Record record, std::string_view events)>;

    Result<Transaction> begin(Transaction::Kind kind);
    Status commit(Transaction& transaction);
    Result<Row> find(const std::string& run);
    Result<Row> find_owned(const std::string& run);
    Result<Digest> hash_of(const Row& row, std::uint64_t sequence);
    Status
    insert(std::int64_t place, std::int64_t wall_ms, const Digest& hash, std::string_view text);
    Status store_head(std::int64_t number, const Head& head);
    Result<std::uint64_t> raise_epoch(const std::string& run, const Holder& who);
    Result<Head> walk(const std::string& run, std::uint64_t from_sequence, const Visit& visit);
    [[nodiscard]] RunInfo describe(Row row) const;

    Database database_;
    LeaseFile lease_file_;
    std::map<std::string, Lease> leases_;  // by run id: what this object holds
    std::optional<Error> broken_;          // a failed sync: what the file holds is unknown
};

Result<Transaction> SqliteJournal::begin(Transaction::Kind kind) {
    if (broken_) {
        return tl::unexpected(*broken_);
    }
    return Transaction::begin(database_, kind);
}

// After a failed sync the kernel may have dropped the pages: a second try would seem to succeed.
Status SqliteJournal::commit(Transaction& transaction) {
    Status done = transaction.commit();
    if (!done && done.error().kind == ErrorClass::unknown_outcome) {
        broken_ = done.error();
    }
    return done;
}

Result<Row> SqliteJournal::find(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Statement one,
                       database_.prepare((std::string(k_select_runs) + "WHERE id = ?1").c_str()));
    one.bind_text(1, run);
    DRYDOCK_TRY_ASSIGN(const bool is_there, one.step());
    if (is_there) {
        return read_row(one);
    }
    std::vector<std::string> known;
    DRYDOCK_TRY_ASSIGN(Statement all, database_.prepare("SELECT id FROM runs"));
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool row, all.step());
        if (!row) {
            return unknown_run(run, known);
        }
        known.push_back(all.text(0));
    }
}

Result<Row> SqliteJournal::find_owned(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Row row, find(run));
    const auto lease = leases_.find(run);
    if (lease == leases_.end()) {
        return no_lease(run);
    }
    if (row.info.epoch != lease->second.epoch) {
        return lease_lost(run, row.last_holder);
    }
    return row;
}

RunInfo SqliteJournal::describe(Row row) const {
    if (leases_.contains(row.info.run.id) || lease_file_.is_locked_elsewhere(row.number)) {
        row.info.holder = row.last_holder;
    }
    return std::move(row.info);
}

Status SqliteJournal::create_run(const NewRun& run) {
    DRYDOCK_TRY(check_run_id(run.id));
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    if (find(run.id)) {
        return run_exists(run.id);
    }
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database_.prepare(
            "INSERT INTO runs(id, created_ms, plan_digest, head) VALUES(?1, ?2, ?3, ?4)"));
    const Digest start = chain_start(run);
    statement.bind_text(1, run.id).bind(2, run.created_ms).bind_text(3, run.plan_digest);
    statement.bind_bytes(4, view(start));
    DRYDOCK_TRY(statement.run());
    return commit(transaction);
}

Result<std::vector<RunInfo>> SqliteJournal::list_runs() {
    DRYDOCK_TRY_ASSIGN(Statement all,
                       database_.prepare((std::string(k_select_runs) + "ORDER BY number").c_str()));
    std::vector<RunInfo> runs;
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool row, all.step());
        if (!row) {
            return runs;
        }
        runs.push_back(describe(read_row(all)));
    }
}

Result<RunInfo> SqliteJournal::find_run(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Row row, find(run));
    return describe(std::move(row));
}

Result<Head> SqliteJournal::append(const std::string& run,
                                   std::int64_t wall_ms,
                                   const std::vector<Json>& events) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find_owned(run));
    DRYDOCK_TRY_ASSIGN(const std::string text, canonical_events(events));
    Head head;
    head.records = row.info.head.records + 1;
    if (head.records > k_records_max) {
        return fail("journal.record", "run " + run + " has no room for another record");
    }
    head.hash = chain_next(row.info.head.hash, run, head.records, wall_ms, text);
    DRYDOCK_TRY(insert(place_of(row.number, head.records), wall_ms, head.hash, text));
    DRYDOCK_TRY(store_head(row.number, head));
    DRYDOCK_TRY(commit(transaction));
    return head;
}

Status SqliteJournal::insert(std::int64_t place,
                             std::int64_t wall_ms,
                             const Digest& hash,
                             std::string_view text) {
    const std::string packed = pack_events(text);
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database_.prepare("INSERT INTO records VALUES(?1, ?2, ?3, ?4)"));
    statement.bind(1, place).bind(2, wall_ms).bind_bytes(3, view(hash)).bind_bytes(4, packed);
    return statement.run();
}

Status SqliteJournal::store_head(std::int64_t number, const Head& head) {
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database_.prepare("UPDATE runs SET records = ?2, head = ?3 WHERE number = ?1"));
    statement.bind(1, number).bind(2, head.records).bind_bytes(3, view(head.hash));
    return statement.run();
}

// The hash that the record after `sequence` builds on.
Result<Digest> SqliteJournal::hash_of(const Row& row, std::uint64_t sequence) {
    if (sequence == 0) {
        return chain_start(row.info.run);
    }
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database_.prepare("SELECT hash FROM records WHERE place = ?1"));
    statement.bind(1, place_of(row.number, sequence));
    DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
    if (!is_there) {
        return ChainChecker(row.info.run.id, 0, {}).broken(sequence, "it is missing");
    }
    return to_digest(statement.bytes(0));
}

// In one read transaction, so that records and head are of the same moment.
Result<Head>
SqliteJournal::walk(const std::string& run, std::uint64_t from_sequence, const Visit& visit) {
    DRYDOCK_TRY_ASSIGN(const Transaction snapshot, begin(Transaction::Kind::read));
    DRYDOCK_TRY_ASSIGN(const Row row, find(run));
    const Head head = row.info.head;
    const std::uint64_t skipped = std::min(from_sequence > 0 ? from_sequence - 1 : 0, head.records);
    DRYDOCK_TRY_ASSIGN(const Digest before, hash_of(row, skipped));
    ChainChecker checker(run, skipped, before);
    DRYDOCK_TRY_ASSIGN(Statement all,
                       database_.prepare("SELECT place - ?1, wall_ms, hash, events FROM records"
                                         " WHERE place > ?2 AND place < ?3 ORDER BY place"));
    const std::int64_t base = place_of(row.number, 0);
    all.bind(1, base).bind(2, place_of(row.number, skipped)).bind(3, place_of(row.number + 1, 0));
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool is_there, all.step());
        if (!is_there) {
            break;
        }
        const Record record{static_cast<std::uint64_t>(all.integer(0)),
                            all.integer(1),
                            {},
                            to_digest(all.bytes(2))};
        const auto text = unpack_events(all.bytes(3));
        if (!text) {
            return checker.broken(record.sequence, "its content cannot be unpacked");
        }
        DRYDOCK_TRY(checker.next(record.sequence, record.wall_ms, *text, record.hash));
        DRYDOCK_TRY(visit(record, *text));
    }
    DRYDOCK_TRY(checker.finish(head));
    return head;
}

Result<std::vector<Record>> SqliteJournal::read(const std::string& run,
                                                std::uint64_t from_sequence) {
    std::vector<Record> records;
    DRYDOCK_TRY(walk(run, from_sequence, [&](Record record, std::string_view text) -> Status {
        DRYDOCK_TRY_ASSIGN(record.events, parse_events(text));
        records.push_back(std::move(record));
        return {};
    }));
    return records;
}

Result<Head> SqliteJournal::verify(const std::string& run) {
    return walk(run, 0, [](const Record&, std::string_view) { return Status{}; });
}

Status SqliteJournal::set_state(const std::string& run, const std::string& state) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find_owned(run));
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database_.prepare("UPDATE runs SET state = ?2 WHERE number = ?1"));
    statement.bind(1, row.number).bind_text(2, state);
    DRYDOCK_TRY(statement.run());
    return commit(transaction);
}

Result<std::uint64_t> SqliteJournal::take_lease(const std::string& run, const Holder& who) {
    DRYDOCK_TRY_ASSIGN(const Row row, find(run));
    if (leases_.contains(run)) {
        return lease_held(run, row.last_holder);
    }
    DRYDOCK_TRY_ASSIGN(const bool locked, lease_file_.try_lock(row.number));
    if (!locked) {
        return lease_held(run, row.last_holder);
    }
    auto epoch = raise_epoch(run, who);
    if (!epoch) {
        lease_file_.unlock(row.number);
        return epoch;
    }
    leases_[run] = {row.number, *epoch};
    return epoch;
}

Result<std::uint64_t> SqliteJournal::raise_epoch(const std::string& run, const Holder& who) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find(run));
    // One sequence for all runs of the journal: a host remembers one fence, whoever conducts.
    DRYDOCK_TRY_ASSIGN(const std::int64_t highest,
                       database_.integer("SELECT max(epoch) FROM runs"));
    const auto epoch = static_cast<std::uint64_t>(highest) + 1;
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database_.prepare(
            "UPDATE runs SET epoch = ?2, host = ?3, pid = ?4, since_ms = ?5 WHERE number = ?1"));
    statement.bind(1, row.number).bind(2, epoch).bind_text(3, who.host);
    statement.bind(4, who.pid).bind(5, who.since_ms);
    DRYDOCK_TRY(statement.run());
    DRYDOCK_TRY(commit(transaction));
    return epoch;
}

void SqliteJournal::release_lease(const std::string& run) {
    if (const auto lease = leases_.find(run); lease != leases_.end()) {
        lease_file_.unlock(lease->second.number);
        leases_.erase(lease);
    }
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite(const std::filesystem::path& path, OpenMode mode) {
    DRYDOCK_TRY_ASSIGN(Database database, open_database(path, mode));
    DRYDOCK_TRY_ASSIGN(LeaseFile lease_file, LeaseFile::open(path.string() + ".lease"));
    return std::make_unique<SqliteJournal>(std::move(database), std::move(lease_file));
}

}  // namespace drydock::journal
