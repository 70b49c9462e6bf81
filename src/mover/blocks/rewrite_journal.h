// The journal of a rewrite: the old and new names of blobs, and the progress of each batch.
//
// One line a record: JSON, a blank, 16 hex digits of XXH3 over the JSON. A record is durable when
// append() returns. A last line that a crash cut off counts as not written. docs/formats/store.md
// describes the records. Not thread-safe; one process holds the file.
#pragma once

#include "base/json.h"
#include "os/files.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

// A blob of a batch. Before the switch envelope and nonce may be empty.
struct RewrittenBlob {
    std::string old_uid;
    std::string new_uid;
    std::string envelope;
    std::string nonce;
    std::string old_envelope;  // of the rows before; empty: enc_version 0
    std::string old_nonce;
};

enum class RecordKind : std::uint8_t {
    begin,     // the work, the store and the key of the journal
    write,     // intent: these names will be written
    proved,    // written, synced and read back; intent: the rows will be switched
    switched,  // the transaction is committed
    dropped,   // the batch came to nothing, its new blobs are removed
    back,      // intent: all rows go back to the old blobs
    free,      // intent: old blobs that no row names will be removed
};

struct Record {
    RecordKind kind = RecordKind::begin;
    std::int64_t batch = 0;
    std::vector<RewrittenBlob> blobs;  // of write, proved
    std::string work;                  // of begin: "encrypt", "rekey"
    std::string store;                 // of begin
    std::string key;                   // of begin: a check value
};

class RewriteJournal {
public:
    // Opens or makes the file and holds it. Errors: "blocks.busy" if another process has it,
    // "blocks.journal" for a damaged record or a file that is no journal, and the errors of
    // opening. Neither file is changed.
    [[nodiscard]] static Result<RewriteJournal> open(const std::string& path);

    // Appends a record, which is durable when append() returns.
    [[nodiscard]] Status append(const Record& record);
    // Calls `take` with each record, the first one first. One record is in memory at a time.
    [[nodiscard]] Status each(const std::function<Status(const Record&)>& take) const;

    [[nodiscard]] std::int64_t records() const { return records_; }

private:
    RewriteJournal(std::string path, os::Fd file)
        : path_(std::move(path))
        , file_(std::move(file)) {}

    Status check();

    std::string path_;
    os::Fd file_;
    std::int64_t records_ = 0;
};

}  // namespace drydock::mover::blocks
