// Rewrites every blob of a store under a new name: encrypted, or under another key.
//
// A batch of blobs is read and checked, written under new names, synced and read again. Then all
// rows of the batch are switched in one transaction. Old blobs stay until all of the store is
// verified, so at every instant each version can be restored. The journal makes it resumable: a
// kill loses one batch at most, and a request to stop is followed between two batches. Memory: the
// rows of one batch, and up to eight blobs a worker.
#pragma once

#include "mover/blocks/rewrite_journal.h"
#include "mover/blocks/store.h"
#include "mover/blocks/verify.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::mover::blocks {

enum class RewriteWork : std::uint8_t {
    encrypt,  // rows of enc_version 0
    rekey,    // rows of enc_version 1 whose envelope the new key does not open
};

struct RewriteRequest {
    RewriteWork work = RewriteWork::encrypt;
    std::string new_key;  // 32 bytes
    std::string journal;  // path
    std::size_t workers = 1;
    std::size_t batch_blobs_max = 1024;
    std::int64_t batch_bytes_max = std::int64_t{256} << 20;  // of plain blocks
    std::function<void(std::int64_t blobs, std::int64_t blobs_all)> on_progress;
    // Asked between two batches, and after each blob of a verification; may be empty. Once it is
    // true, the work ends with the error "blocks.paused", and the same call goes on.
    std::function<bool()> is_to_stop = {};
};

struct RewriteReport {
    std::int64_t blobs = 0;      // rewritten by this call
    std::int64_t bytes = 0;      // of their plain blocks
    std::int64_t new_bytes = 0;  // of the new blobs
    std::int64_t batches = 0;
    std::int64_t blobs_left = 0;    // blobs that are still to be rewritten: their bytes are lost
    bool is_resumed = false;        // the journal was there
    std::vector<Finding> findings;  // the first blobs that cannot be read; their rows stay

    void note(Finding finding);
};

// Rewrites the store, or resumes. `store` may write, and its reader must hold the key of the
// encrypted blobs. The caller holds backy2's locks. Errors: those of the metadata, of the journal
// and of writing; "blocks.journal" for a journal of other work, another store or another key;
// "blocks.paused", as for the other two.
[[nodiscard]] Result<RewriteReport> rewrite(Store& store, const RewriteRequest& request);

struct FreeReport {
    StoreVerdict verdict;          // of all blobs, before anything was removed
    std::int64_t blobs_freed = 0;  // old blobs
    std::int64_t freed_bytes = 0;
    std::int64_t blobs_kept = 0;  // that rows or backy2's list of deleted blocks still name
};

// Verifies every blob of the store, removes the old blobs in the journal, and puts the journal
// away. Error: "blocks.unverified" if a new blob is not right; nothing is removed then.
[[nodiscard]] Result<FreeReport> free_old(Store& store, const RewriteRequest& request);

struct BackReport {
    std::int64_t blobs = 0;  // with rows that name the old blob again
};

// Reads the old blobs, switches all rows back to them, and removes the new ones. Errors:
// "blocks.nothing" if no rewrite is under way; "blocks.freed" if old blobs are gone already; those
// of read_block.
[[nodiscard]] Result<BackReport> rewrite_back(Store& store, const RewriteRequest& request);

}  // namespace drydock::mover::blocks
