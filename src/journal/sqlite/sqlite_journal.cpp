// The SQLite journal: transactions and leases over the rows of run_rows.h and request_rows.h.
//
// A lease has two halves. The lock in the lease file says that its holder is alive; the epoch in
// the table says which holder is the latest. An append needs both: this object's lease, and no
// later epoch. Locks are kept only after the commit, so an error gives them back.
//
// After a failed sync the object refuses all further work (`broken_`): pages that the kernel
// dropped would look written. Only a new object, which reads the file again, sees the true state.
#include "journal/sqlite/sqlite_journal.h"

#include "base/check.h"
#include "journal/answers.h"
#include "journal/chain.h"
#include "journal/sqlite/database.h"
#include "journal/sqlite/lease_file.h"
#include "journal/sqlite/request_rows.h"
#include "journal/sqlite/run_rows.h"
#include "journal/sqlite/schema.h"

#include <algorithm>
#include <map>

namespace drydock::journal {

namespace {

struct HeldLease {
    std::int64_t number = 0;
    std::uint64_t epoch = 0;
};

// A run's byte of the lease file. The destructor unlocks it, unless keep() was called.
class ScopedLock {
public:
    ScopedLock(LeaseFile& file, std::int64_t number) : file_(&file), number_(number) {}

    ScopedLock(ScopedLock&& source) noexcept
        : file_(std::exchange(source.file_, nullptr))
        , number_(source.number_) {}

    ScopedLock(const ScopedLock&) = delete;
    ScopedLock& operator=(const ScopedLock&) = delete;
    ScopedLock& operator=(ScopedLock&&) = delete;

    ~ScopedLock() {
        if (file_ != nullptr) {
            file_->unlock(number_);
        }
    }

    void keep() { file_ = nullptr; }

private:
    LeaseFile* file_;
    std::int64_t number_;
};

class SqliteJournal final : public Journal {
public:
    SqliteJournal(Database database, LeaseFile lease_file, std::string id)
        : database_(std::move(database))
        , lease_file_(std::move(lease_file))
        , id_(std::move(id)) {}

    [[nodiscard]] const std::string& id() const override { return id_; }

    Status renew_id() override;

    Result<std::vector<GivenLease>> given_leases() override { return list_leases(database_); }

    Result<Lease> begin_run(const RunCreation& birth) override;
    Result<std::vector<RunInfo>> list_runs() override;
    Result<RunInfo> find_run(const std::string& run) override;
    Result<Head>
    append(const std::string& run, const Head& expected_head, const Entry& entry) override;
    Result<std::vector<Record>> read(const std::string& run, std::uint64_t from_sequence) override;
    Result<Head> verify(const std::string& run) override;
    Result<Lease> take_lease(const std::string& run, const Holder& holder) override;
    void release_lease(const std::string& run) override;
    Result<std::uint64_t> post_request(const std::string& run, const Request& request) override;
    Result<std::vector<Request>> open_requests(const std::string& run) override;
    Result<Request> find_request(std::uint64_t number) override;

private:
    Result<Transaction> begin(Transaction::Kind kind);
    Status commit(Transaction& transaction);
    Result<Row> find_owned(const std::string& run);
    Status check_other_runs(const RunCreation& birth);
    Result<ScopedLock> lock(const Row& row);
    Status close_reverted(const RunCreation& birth, const Row& row);
    Result<Head> write(const Row& row, const Entry& entry);
    Result<Lease> raise_lease(const std::string& run, const Holder& holder);
    Result<Head>
    walk(const std::string& run, std::uint64_t from_sequence, const VisitRecord& visit);
    [[nodiscard]] RunInfo describe(Row row) const;

    Database database_;
    LeaseFile lease_file_;
    std::string id_;
    std::map<std::string, HeldLease> leases_;  // by run id: the leases of this object
    std::optional<Error> broken_;              // a failed sync: the content of the file is unknown
};

Result<Transaction> SqliteJournal::begin(Transaction::Kind kind) {
    if (broken_) {
        return tl::unexpected(*broken_);
    }
    return Transaction::begin(database_, kind);
}

// Remembers a failed sync. The kernel may have dropped the pages, so that a second try would seem
// to succeed.
Status SqliteJournal::commit(Transaction& transaction) {
    Status status = transaction.commit();
    if (!status && status.error().kind == ErrorClass::unknown_outcome) {
        broken_ = status.error();
    }
    return status;
}

// Changes the object's id only after the commit, so that both always agree.
Status SqliteJournal::renew_id() {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    const std::string id = draw_journal_id();
    DRYDOCK_TRY(store_journal_id(database_, id));
    DRYDOCK_TRY(commit(transaction));
    id_ = id;
    return {};
}

// Returns the row of a run that this object may write. A higher epoch means that another conductor
// has taken over.
Result<Row> SqliteJournal::find_owned(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Row row, find_row(database_, run));
    const auto lease = leases_.find(run);
    if (lease == leases_.end()) {
        return no_lease(run);
    }
    if (row.info.epoch != lease->second.epoch) {
        return lease_lost(run, row.last_holder);
    }
    return row;
}

// Adds the holder only if the lock shows that it is alive: the row of a dead holder stays.
RunInfo SqliteJournal::describe(Row row) const {
    if (leases_.contains(row.info.run.id) || lease_file_.is_locked_elsewhere(row.number)) {
        row.info.holder = row.last_holder;
    }
    return std::move(row.info);
}

// Returns an error if another run is open, or if a run is newer than `follows`.
Status SqliteJournal::check_other_runs(const RunCreation& birth) {
    DRYDOCK_TRY_ASSIGN(const auto rows, list_rows(database_));
    for (const Row& row : rows) {
        if (!row.info.state.is_over && row.info.run.id != birth.reverts_run) {
            return run_open(describe(row));
        }
    }
    const bool is_newer =
        !birth.follows.empty() && !rows.empty() && rows.back().info.run.id != birth.follows;
    return is_newer ? Status(run_newer(describe(rows.back()))) : Status();
}

// Takes the run's lock; journal.lease.held if another conductor has it.
Result<ScopedLock> SqliteJournal::lock(const Row& row) {
    DRYDOCK_TRY_ASSIGN(const bool locked, lease_file_.try_lock(row.number));
    return locked ? Result<ScopedLock>(ScopedLock(lease_file_, row.number))
                  : lease_held(row.info.run.id, row.last_holder);
}

// Writes record, answers and state in the caller's transaction. The end of a run closes its open
// requests.
Result<Head> SqliteJournal::write(const Row& row, const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(const std::string text, canonical_events(entry.events));
    DRYDOCK_TRY_ASSIGN(const Head head, insert_record(database_, row, text, entry));
    DRYDOCK_TRY(answer_requests(database_, entry.answers));
    if (entry.state && entry.state->is_over) {
        DRYDOCK_TRY(close_requests(database_, row.info.run.id));
    }
    return head;
}

// Closes the old run and opens the new one in one commit. The lock of the old run is held
// meanwhile, so its conductor cannot come back in between.
Result<Lease> SqliteJournal::begin_run(const RunCreation& birth) {
    const std::string& run = birth.run.id;
    DRYDOCK_TRY(check_run_id(run));
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    if (has_row(database_, run)) {
        return run_exists(run);
    }
    DRYDOCK_TRY(check_other_runs(birth));
    std::optional<ScopedLock> old_lock;
    if (!birth.reverts_run.empty()) {
        DRYDOCK_TRY_ASSIGN(const Row old, find_row(database_, birth.reverts_run));
        if (!leases_.contains(birth.reverts_run)) {
            DRYDOCK_TRY_ASSIGN(auto taken, lock(old));
            old_lock.emplace(std::move(taken));
        }
        DRYDOCK_TRY(close_reverted(birth, old));
    }
    DRYDOCK_TRY_ASSIGN(const std::int64_t number, insert_run(database_, birth.run));
    DRYDOCK_TRY_ASSIGN(const std::uint64_t epoch, raise_epoch(database_, number, birth.holder));
    DRYDOCK_TRY_ASSIGN(const Row row, find_row(database_, run));
    DRYDOCK_TRY_ASSIGN(const Head head, write(row, birth.first_entry));
    DRYDOCK_TRY_ASSIGN(ScopedLock own_lock, lock(row));
    DRYDOCK_TRY(commit(transaction));
    own_lock.keep();
    leases_[run] = {number, epoch};
    release_lease(birth.reverts_run);
    return Lease{epoch, head};
}

// Writes the last record of the run that the new run reverts. A run that is over stays as it is.
Status SqliteJournal::close_reverted(const RunCreation& birth, const Row& row) {
    if (row.info.state.is_over) {
        return {};
    }
    DRYDOCK_TRY(write(row, birth.closing_entry));
    return {};
}

// Reads without a write transaction, so that lists work while a conductor writes.
Result<std::vector<RunInfo>> SqliteJournal::list_runs() {
    DRYDOCK_TRY_ASSIGN(auto rows, list_rows(database_));
    std::vector<RunInfo> runs;
    std::ranges::transform(
        rows, std::back_inserter(runs), [this](Row& row) { return describe(std::move(row)); });
    return runs;
}

Result<RunInfo> SqliteJournal::find_run(const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Row row, find_row(database_, run));
    return describe(std::move(row));
}

// Compares first with the head that the entry would make: so an append whose answer was lost can be
// repeated.
Result<Head>
SqliteJournal::append(const std::string& run, const Head& expected_head, const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find_owned(run));
    DRYDOCK_TRY_ASSIGN(const std::string text, canonical_events(entry.events));
    const std::uint64_t sequence = expected_head.records + 1;
    const Head new_head = {sequence,
                           chain_next(expected_head.hash, run, sequence, entry.wall_ms, text)};
    if (row.info.head == new_head) {
        return new_head;  // it was written, and its answer was lost
    }
    if (row.info.state.is_over) {
        return run_over(row.info);
    }
    if (row.info.head != expected_head) {
        return head_moved(run, row.info.head);
    }
    DRYDOCK_TRY_ASSIGN(const Head head, write(row, entry));
    DRYDOCK_TRY(commit(transaction));
    return head;
}

// Walks in one read transaction, so that records and head are of the same moment.
Result<Head>
SqliteJournal::walk(const std::string& run, std::uint64_t from_sequence, const VisitRecord& visit) {
    DRYDOCK_TRY_ASSIGN(const Transaction snapshot, begin(Transaction::Kind::read));
    DRYDOCK_TRY_ASSIGN(const Row row, find_row(database_, run));
    const Head head = row.info.head;
    const std::uint64_t skipped = std::min(from_sequence > 0 ? from_sequence - 1 : 0, head.records);
    DRYDOCK_TRY(walk_records(database_, row, skipped, visit));
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

// Locks first and raises the epoch then: two conductors cannot both get past the lock.
Result<Lease> SqliteJournal::take_lease(const std::string& run, const Holder& holder) {
    DRYDOCK_TRY_ASSIGN(const Row row, find_row(database_, run));
    if (leases_.contains(run)) {
        return lease_held(run, row.last_holder);
    }
    DRYDOCK_TRY_ASSIGN(ScopedLock own_lock, lock(row));
    DRYDOCK_TRY_ASSIGN(const Lease lease, raise_lease(run, holder));
    own_lock.keep();
    leases_[run] = {row.number, lease.epoch};
    return lease;
}

// Raises the epoch under the lock. The same transaction reads whether the run is over.
Result<Lease> SqliteJournal::raise_lease(const std::string& run, const Holder& holder) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find_row(database_, run));
    if (row.info.state.is_over) {
        return run_over(row.info);
    }
    DRYDOCK_TRY_ASSIGN(const std::uint64_t epoch, raise_epoch(database_, row.number, holder));
    DRYDOCK_TRY(commit(transaction));
    return Lease{epoch, row.info.head};
}

void SqliteJournal::release_lease(const std::string& run) {
    if (const auto lease = leases_.find(run); lease != leases_.end()) {
        lease_file_.unlock(lease->second.number);
        leases_.erase(lease);
    }
}

// Stores the request in a transaction that also reads the run: a run cannot end in between without
// closing the request.
Result<std::uint64_t> SqliteJournal::post_request(const std::string& run, const Request& request) {
    DRYDOCK_TRY_ASSIGN(Transaction transaction, begin(Transaction::Kind::write));
    DRYDOCK_TRY_ASSIGN(const Row row, find_row(database_, run));
    const RunInfo info = describe(row);
    if (info.state.is_over && !info.holder) {
        return run_over(info);
    }
    DRYDOCK_TRY_ASSIGN(const std::uint64_t number, insert_request(database_, run, request));
    DRYDOCK_TRY(commit(transaction));
    return number;
}

Result<std::vector<Request>> SqliteJournal::open_requests(const std::string& run) {
    return list_open_requests(database_, run);
}

Result<Request> SqliteJournal::find_request(std::uint64_t number) {
    return find_request_row(database_, number);
}

}  // namespace

Result<std::unique_ptr<Journal>> open_sqlite(const std::filesystem::path& path, OpenMode mode) {
    DRYDOCK_TRY_ASSIGN(Database database, open_database(path, mode));
    DRYDOCK_TRY_ASSIGN(std::string id, journal_id(database));
    DRYDOCK_TRY_ASSIGN(LeaseFile lease_file, LeaseFile::open(path.string() + ".lease"));
    return std::make_unique<SqliteJournal>(
        std::move(database), std::move(lease_file), std::move(id));
}

}  // namespace drydock::journal
