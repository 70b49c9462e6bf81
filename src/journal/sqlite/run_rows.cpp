// The statements over the tables `runs`, `records` and `leases`.
//
// A record's key is its run's number and its sequence in one integer (schema.cpp), so the records
// of a run are one range. Events are stored compressed if that is shorter; the chain always covers
// the plain text. Every walk runs through a ChainChecker: no record leaves this file unverified.
#include "journal/sqlite/run_rows.h"

#include "base/check.h"
#include "journal/answers.h"
#include "journal/chain.h"

#include <algorithm>

namespace drydock::journal {

namespace {

constexpr int k_sequence_bits = 32;  // schema.cpp has the layout of a record's place
constexpr std::uint64_t k_records_max = (std::uint64_t{1} << k_sequence_bits) - 1;

constexpr const char* k_select_runs =
    "SELECT number, id, created_ms, plan_digest, state, epoch, host, pid, since_ms, records, head,"
    " is_over FROM runs ";

std::string_view view(const Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Bytes of a wrong length become a digest that matches no record.
Digest to_digest(std::string_view bytes) {
    Digest digest{};
    if (bytes.size() == digest.size()) {
        std::ranges::transform(
            bytes, digest.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
    }
    return digest;
}

// Returns the key of a record; place_of(number + 1, 0) is the end of a run's range.
std::int64_t place_of(std::int64_t number, std::uint64_t sequence) {
    return (number << k_sequence_bits) + static_cast<std::int64_t>(sequence);
}

Row read_row(const Statement& statement) {
    Row row;
    row.number = statement.integer(0);
    row.info.run = {statement.text(1), statement.integer(2), statement.text(3)};
    row.info.state = {statement.text(4), statement.integer(11) != 0};
    row.info.epoch = static_cast<std::uint64_t>(statement.integer(5));
    row.last_holder = {statement.text(6), statement.integer(7), statement.integer(8)};
    row.info.head = {static_cast<std::uint64_t>(statement.integer(9)),
                     to_digest(statement.bytes(10))};
    return row;
}

// Returns the compressed text if it is shorter. JSON text starts with '[' and a zstd frame never
// does, so no marker is needed.
std::string pack_events(std::string_view text) {
    std::string packed = compress(text);
    return packed.size() < text.size() ? packed : std::string(text);
}

// The limit guards against a small frame that unpacks to a huge text.
Result<std::string> unpack_events(std::string_view stored) {
    if (stored.starts_with('[')) {
        return std::string(stored);
    }
    return decompress(stored, k_payload_bytes_max);
}

// Moves the run's head, and its state if the entry has one; coalesce() keeps the old state.
Status store_head(Database& database, std::int64_t number, const Head& head, const Entry& entry) {
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database.prepare("UPDATE runs SET records = ?2, head = ?3, state = coalesce(?4, state),"
                         " is_over = coalesce(?5, is_over) WHERE number = ?1"));
    statement.bind(1, number).bind(2, head.records).bind_bytes(3, view(head.hash));
    if (entry.state) {
        statement.bind_text(4, entry.state->word);
        statement.bind(5, static_cast<std::int64_t>(entry.state->is_over));
    }
    return statement.run();
}

// Draws the nonce here, inside the transaction: an epoch without its nonce never exists.
Status insert_lease(Database& database, std::uint64_t epoch) {
    DRYDOCK_TRY_ASSIGN(Statement statement, database.prepare("INSERT INTO leases VALUES(?1, ?2)"));
    const std::string nonce = draw_nonce();
    statement.bind(1, epoch).bind_text(2, nonce);
    return statement.run();
}

// Returns the hash of the record `sequence`, on which the next record builds.
Result<Digest> hash_of(Database& database, const Row& row, std::uint64_t sequence) {
    if (sequence == 0) {
        return chain_start(row.info.run);
    }
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("SELECT hash FROM records WHERE place = ?1"));
    statement.bind(1, place_of(row.number, sequence));
    DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
    if (!is_there) {
        return ChainChecker(row.info.run.id, 0, {}).broken(sequence, "it is missing");
    }
    return to_digest(statement.bytes(0));
}

}  // namespace

// Looks at the other ids only if the run is missing, for the hint in the error.
Result<Row> find_row(Database& database, const std::string& run) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare((std::string(k_select_runs) + "WHERE id = ?1").c_str()));
    statement.bind_text(1, run);
    DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
    if (is_there) {
        return read_row(statement);
    }
    std::vector<std::string> run_ids;
    DRYDOCK_TRY_ASSIGN(const auto rows, list_rows(database));
    std::ranges::transform(
        rows, std::back_inserter(run_ids), [](const Row& row) { return row.info.run.id; });
    return unknown_run(run, run_ids);
}

bool has_row(Database& database, const std::string& run) {
    return find_row(database, run).has_value();
}

Result<std::vector<Row>> list_rows(Database& database) {
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare((std::string(k_select_runs) + "ORDER BY number").c_str()));
    std::vector<Row> rows;
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool is_row, statement.step());
        if (!is_row) {
            return rows;
        }
        rows.push_back(read_row(statement));
    }
}

Result<std::int64_t> insert_run(Database& database, const NewRun& run) {
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database.prepare(
            "INSERT INTO runs(id, created_ms, plan_digest, head) VALUES(?1, ?2, ?3, ?4)"));
    const Digest start = chain_start(run);
    statement.bind_text(1, run.id).bind(2, run.created_ms).bind_text(3, run.plan_digest);
    statement.bind_bytes(4, view(start));
    DRYDOCK_TRY(statement.run());
    return database.integer("SELECT last_insert_rowid()");
}

// Uses one sequence of epochs for all runs: a host remembers one fence, for any conductor.
Result<std::uint64_t> raise_epoch(Database& database, std::int64_t number, const Holder& holder) {
    DRYDOCK_TRY_ASSIGN(const std::int64_t highest, database.integer("SELECT max(epoch) FROM runs"));
    const auto epoch = static_cast<std::uint64_t>(highest) + 1;
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database.prepare(
            "UPDATE runs SET epoch = ?2, host = ?3, pid = ?4, since_ms = ?5 WHERE number = ?1"));
    statement.bind(1, number).bind(2, epoch).bind_text(3, holder.host);
    statement.bind(4, holder.pid).bind(5, holder.since_ms);
    DRYDOCK_TRY(statement.run());
    DRYDOCK_TRY(insert_lease(database, epoch));
    return epoch;
}

// Selects the newest leases first, because of the limit, and turns them round.
Result<std::vector<GivenLease>> list_leases(Database& database) {
    DRYDOCK_TRY_ASSIGN(
        Statement statement,
        database.prepare("SELECT epoch, nonce FROM leases ORDER BY epoch DESC LIMIT ?1"));
    statement.bind(1, k_given_leases_max);
    std::vector<GivenLease> leases;
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool is_row, statement.step());
        if (!is_row) {
            std::ranges::reverse(leases);
            return leases;
        }
        leases.push_back({static_cast<std::uint64_t>(statement.integer(0)), statement.text(1)});
    }
}

// Inserts the record and moves the head. The caller commits both together, and neither alone.
Result<Head>
insert_record(Database& database, const Row& row, const std::string& text, const Entry& entry) {
    const std::string& run = row.info.run.id;
    Head head;
    head.records = row.info.head.records + 1;
    if (head.records > k_records_max) {
        return fail("journal.record", "run " + run + " has no room for another record");
    }
    head.hash = chain_next(row.info.head.hash, run, head.records, entry.wall_ms, text);
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("INSERT INTO records VALUES(?1, ?2, ?3, ?4)"));
    const std::string packed = pack_events(text);
    statement.bind(1, place_of(row.number, head.records)).bind(2, entry.wall_ms);
    statement.bind_bytes(3, view(head.hash)).bind_bytes(4, packed);
    DRYDOCK_TRY(statement.run());
    DRYDOCK_TRY(store_head(database, row.number, head, entry));
    return head;
}

// Selects the range of the run's places behind `skipped`. The last record must be the run's head,
// so a range that was cut off at its end is noticed.
Status
walk_records(Database& database, const Row& row, std::uint64_t skipped, const VisitRecord& visit) {
    const std::string& run = row.info.run.id;
    DRYDOCK_TRY_ASSIGN(const Digest previous_hash, hash_of(database, row, skipped));
    ChainChecker checker(run, skipped, previous_hash);
    DRYDOCK_TRY_ASSIGN(Statement statement,
                       database.prepare("SELECT place - ?1, wall_ms, hash, events FROM records"
                                        " WHERE place > ?2 AND place < ?3 ORDER BY place"));
    const std::int64_t base = place_of(row.number, 0);
    statement.bind(1, base)
        .bind(2, place_of(row.number, skipped))
        .bind(3, place_of(row.number + 1, 0));
    for (;;) {
        DRYDOCK_TRY_ASSIGN(const bool is_there, statement.step());
        if (!is_there) {
            return checker.finish(row.info.head);
        }
        const Record record{static_cast<std::uint64_t>(statement.integer(0)),
                            statement.integer(1),
                            {},
                            to_digest(statement.bytes(2))};
        const auto text = unpack_events(statement.bytes(3));
        if (!text) {
            return checker.broken(record.sequence, "its content cannot be unpacked");
        }
        DRYDOCK_TRY(checker.next(record.sequence, record.wall_ms, *text, record.hash));
        DRYDOCK_TRY(visit(record, *text));
    }
}

}  // namespace drydock::journal
