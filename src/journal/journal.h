// Journal: the durable record of runs.
//
// A journal holds runs; a run is a chain of records, numbered from 1; a record is one commit and
// holds one or more events. An event is a Json object with a "type"; the journal reads nothing else
// of it. Each record's hash covers the hash before it, so that no record can be changed, dropped or
// reordered unseen. One conductor at a time writes a run: it holds the run's lease, and each lease
// has a higher epoch than the one before, which the hosts use as a fence.
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
    std::uint64_t records = 0;  // so many records; also the last one's sequence
    Digest hash{};              // of the last record; of the run's own description if there is none
    bool operator==(const Head&) const = default;
};

struct Record {
    std::uint64_t sequence = 0;  // 1, 2, 3, ... without gaps
    std::int64_t wall_ms = 0;    // Unix time by the writer's clock; it may jump
    std::vector<Json> events;
    Digest hash{};
    bool operator==(const Record&) const = default;
};

// What describes a run for good; all of it is under the first hash of the chain.
struct NewRun {
    std::string id;  // letters, digits, '.', '_', '-'; at most 64; not starting with '.'
    std::int64_t created_ms = 0;
    std::string plan_digest;
    bool operator==(const NewRun&) const = default;
};

// Who conducts a run.
struct Holder {
    std::string host;
    std::int64_t pid = 0;
    std::int64_t since_ms = 0;
    bool operator==(const Holder&) const = default;
};

struct RunInfo {
    NewRun run;
    std::string state;             // the last set_state(); "" before the first. Not in the chain.
    std::uint64_t epoch = 0;       // of the latest lease; 0 before the first
    std::optional<Holder> holder;  // only while that conductor is alive
    Head head;
};

class Journal {
public:
    Journal() = default;
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;
    virtual ~Journal() = default;  // gives back the leases held through this object

    // Adds an empty run, durably. Errors: journal.run.id, journal.run.exists.
    virtual Status create_run(const NewRun& run) = 0;

    // All runs, oldest first.
    virtual Result<std::vector<RunInfo>> list_runs() = 0;

    // One run. Errors: journal.run.unknown (names the nearest known id).
    virtual Result<RunInfo> find_run(const std::string& run) = 0;

    // Appends one record in one commit; on return it is on disk. Needs this object's lease on the
    // run. On an error nothing is half-written, and the journal works again once the cause is gone;
    // an error of class unknown_outcome (a failed sync) needs a new Journal object, whose read()
    // tells whether the record is there. Errors: journal.lease.none, journal.lease.lost,
    // journal.record (no events, an event without "type", too large), journal.full, journal.io,
    // journal.read_only, journal.busy (transient).
    virtual Result<Head>
    append(const std::string& run, std::int64_t wall_ms, const std::vector<Json>& events) = 0;

    // The records from `from_sequence` on, in order; each is verified against the one before and
    // the last against the head that the run keeps apart. Error journal.chain names the record that
    // was changed, dropped or reordered. With from_sequence > 1 the records before it are trusted.
    virtual Result<std::vector<Record>> read(const std::string& run,
                                             std::uint64_t from_sequence = 0) = 0;

    // Verifies the whole chain without decoding events. Errors as read().
    virtual Result<Head> verify(const std::string& run) = 0;

    // Sets the word that lists show for the run ("running", "paused", ...). Needs the lease.
    virtual Status set_state(const std::string& run, const std::string& state) = 0;

    // Makes this object the run's one writer and answers its epoch, higher than every epoch before
    // of any run in this journal: hosts know one fence, whichever run they work for.
    // Error journal.lease.held says who holds it: another process or another Journal object that is
    // alive. A holder that died holds nothing.
    virtual Result<std::uint64_t> take_lease(const std::string& run, const Holder& who) = 0;

    // Gives the lease back; does nothing if this object holds none on the run.
    virtual void release_lease(const std::string& run) = 0;
};

}  // namespace drydock::journal
