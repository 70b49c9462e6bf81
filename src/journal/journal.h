// Start here: journal.h (this interface), chain.h (hashes and their checker), answers.h (the errors
// of all backends), memory/memory_journal.h (the rules without a disk). Then the durable backend:
// sqlite/sqlite_journal.h, schema.h, run_rows.h, request_rows.h, lease_file.h, database.h.
// docs/formats/journal.md has the format.
//
// Journal: the durable record of runs. A journal holds runs; a run is a chain of records, numbered
// from 1; a record is one commit and holds one or more events. An event is a Json object with a
// "type"; the journal reads nothing else of it. Each record's hash covers the hash before it, so
// that no record can be changed, dropped or reordered unseen. One conductor at a time writes a run:
// it holds the run's lease. Each lease has a higher epoch than the lease before, and the hosts use
// the epoch as a fence. At most one run of a journal is open; a run that is over takes neither a
// record nor a lease.
//
// A Journal object is used by one thread at a time. Other processes may read while one writes.
// Two backends: open_sqlite() in journal/sqlite/, open_memory() in journal/memory/.
#pragma once

#include "base/hash.h"
#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::journal {

inline constexpr std::size_t k_payload_bytes_max = 64U << 20U;  // one record's events as text

struct Head {
    std::uint64_t records = 0;  // their number, which is the last record's sequence
    Digest hash{};              // of the last record; without records, chain_start() of the run
    bool operator==(const Head&) const = default;
};

struct Record {
    std::uint64_t sequence = 0;  // 1, 2, 3, ... without gaps
    std::int64_t wall_ms = 0;    // Unix time by the writer's clock; it may jump
    std::vector<Json> events;
    Digest hash{};
    bool operator==(const Record&) const = default;
};

// Describes a run for good; all of it is under the first hash of the chain.
struct NewRun {
    std::string id;  // letters, digits, '.', '_', '-'; at most 64; not starting with '.'
    std::int64_t created_ms = 0;
    std::string plan_digest;
    bool operator==(const NewRun&) const = default;
};

// The process that conducts a run.
struct Holder {
    std::string host;
    std::int64_t pid = 0;
    std::int64_t since_ms = 0;
    bool operator==(const Holder&) const = default;
};

// The word that lists show for a run ("running", "paused"), and whether the run is over.
struct RunState {
    std::string word;
    bool is_over = false;
    bool operator==(const RunState&) const = default;
};

struct RunInfo {
    NewRun run;
    RunState state;                // set by the last entry that has one; not in the chain
    std::uint64_t epoch = 0;       // of the latest lease
    std::optional<Holder> holder;  // only while that conductor is alive
    Head head;
};

// A command of a person to the run's conductor, which answers it; see post_request().
struct Request {
    std::uint64_t number = 0;  // given by the journal; grows
    std::string kind;          // "pause", "approve", ...; the journal gives it no meaning
    std::string author;
    std::int64_t made_ms = 0;  // wall clock
    Json detail;
    std::string answer;  // empty: open
};

struct RequestAnswer {
    std::uint64_t number = 0;
    std::string text;  // not empty
};

// A record to be written. State and answers change in the same commit.
struct Entry {
    std::int64_t wall_ms = 0;
    std::vector<Json> events;
    std::optional<RunState> state = std::nullopt;
    std::vector<RequestAnswer> answers = {};
};

// The start of a run, all of it in one commit.
struct RunCreation {
    NewRun run;
    Entry first_entry;
    Holder holder;
    std::string reverts_run = {};  // the open run that this run reverts; empty: none
    Entry closing_entry = {};      // the last record of that run; its state must be over
    std::string follows = {};      // the run that must be the newest; empty: any
};

struct Lease {
    std::uint64_t epoch = 0;
    Head head;  // when the lease was taken
};

// A lease that this journal gave. Copies of a journal give the same epochs, but never the same
// nonce, which is random.
struct GivenLease {
    std::uint64_t epoch = 0;
    std::string nonce;
    bool operator==(const GivenLease&) const = default;
};

inline constexpr std::size_t k_given_leases_max = 256;  // the most that given_leases() returns

class Journal {
public:
    Journal() = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    virtual ~Journal() = default;  // gives back the leases held through this object

    // Names this journal among all journals: 32 random hex digits, drawn when it was made.
    [[nodiscard]] virtual const std::string& id() const = 0;

    // Draws another id, durably. A conductor calls it to go on with one copy of a journal although
    // hosts obey another copy. From then on the copies are two journals.
    [[nodiscard]] virtual Status renew_id() = 0;

    // Returns the latest leases that were given, of all runs, the newest last.
    [[nodiscard]] virtual Result<std::vector<GivenLease>> given_leases() = 0;

    // Adds a run with its first record and takes its lease. No run but `reverts_run` may be open,
    // and no other conductor may hold that run. Closes `reverts_run` in the same commit, unless it
    // is over, and gives back its lease if this object holds it. Errors: journal.run.id,
    // journal.run.exists, journal.run.open (names the open run), journal.run.newer (another run
    // than `follows` is the newest), journal.run.unknown (no run `reverts_run`),
    // journal.lease.held, journal.record.
    virtual Result<Lease> begin_run(const RunCreation& birth) = 0;

    // Returns all runs, oldest first.
    virtual Result<std::vector<RunInfo>> list_runs() = 0;

    // Returns one run. Error: journal.run.unknown (names the nearest known id).
    virtual Result<RunInfo> find_run(const std::string& run) = 0;

    // Appends one record behind `expected_head` in one commit; on return it is on disk. Needs this
    // object's lease on the run. Idempotent: the same entry behind the same head is written once,
    // so an append whose answer was lost may be repeated. On an error nothing is half-written, and
    // the journal works again once the cause is gone. After an error of class unknown_outcome (a
    // failed sync) a repeat shows whether the record is there, or fails again.
    // Errors: journal.lease.none, journal.lease.lost, journal.run.over, journal.head
    // (`expected_head` is not the run's head), journal.record (no events, an event without "type",
    // too large), journal.full, journal.io, journal.read_only, journal.busy (transient).
    virtual Result<Head>
    append(const std::string& run, const Head& expected_head, const Entry& entry) = 0;

    // Returns the records from `from_sequence` on, in order. Each is verified against the record
    // before, and the last against the head that the run keeps apart. Error journal.chain names the
    // record that was changed, dropped or reordered. With from_sequence > 1 the records before it
    // are trusted.
    virtual Result<std::vector<Record>> read(const std::string& run,
                                             std::uint64_t from_sequence = 0) = 0;

    // Verifies the whole chain without decoding events. Errors as read().
    virtual Result<Head> verify(const std::string& run) = 0;

    // Makes this object the run's one writer. The epoch is higher than every earlier epoch of any
    // run in this journal. Errors: journal.lease.held names the holder, another process or another
    // Journal object that is alive (a dead holder holds nothing); journal.run.over.
    virtual Result<Lease> take_lease(const std::string& run, const Holder& holder) = 0;

    // Gives the lease back; does nothing if this object holds none on the run.
    virtual void release_lease(const std::string& run) = 0;

    // Stores a request for the run's conductor, durably; returns its number. Needs no lease. A run
    // that is over takes requests while its lease is held, on the way to the next run of an
    // upgrade. Errors: journal.run.unknown, journal.run.over.
    virtual Result<std::uint64_t> post_request(const std::string& run, const Request& request) = 0;

    // Returns the requests of a run that have no answer yet, oldest first.
    virtual Result<std::vector<Request>> open_requests(const std::string& run) = 0;

    // Returns one request. Error: journal.request.unknown.
    virtual Result<Request> find_request(std::uint64_t number) = 0;
};

}  // namespace drydock::journal
