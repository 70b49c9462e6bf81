// The use cases of `drydock store`: a store of backy2, named by backy2's own configuration. No
// cluster is asked.
//
// Exit codes of failures: 1 for damage and refusals, 2 for unreadable input.
#pragma once

#include "app/app.h"
#include "mover/blocks/inspect.h"
#include "mover/blocks/restore.h"
#include "mover/blocks/rewrite.h"
#include "mover/blocks/transfer.h"
#include "mover/blocks/upgrade.h"
#include "mover/blocks/verify.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::app {

struct StoreRequest {
    std::string config;          // backy2's configuration file
    std::string key_file;        // in the place of the configuration's key; may be empty
    std::string other_key_file;  // a second key to try, of a rekey that is not done yet
    std::size_t workers = 0;     // threads that read blobs; 0: one for each processor
};

// The progress of long work.
inline constexpr std::int64_t k_unknown_total = -1;

struct StoreProgress {
    std::int64_t amount = 0;
    std::int64_t total = 0;  // k_unknown_total: nobody knows
    std::string unit;        // "rows", "bytes"
    std::int64_t findings = 0;
    std::int64_t bytes = 0;  // that were moved; 0: not told
};

using OnStoreProgress = std::function<void(const StoreProgress&)>;

// Lists a store. `only_schema` reads nothing else, however large the store is.
[[nodiscard]] AppResult<mover::blocks::Inspection> inspect_store(const StoreRequest& request,
                                                                 bool only_schema);

struct StoreVerified {
    mover::blocks::StoreVerdict verdict;
    std::vector<mover::blocks::Finding> findings;  // the first of them
};

[[nodiscard]] AppResult<StoreVerified> verify_store(const StoreRequest& request,
                                                    const OnStoreProgress& on_progress);
// Restores a version. `restore_request.workers` is overwritten from the request.
[[nodiscard]] AppResult<mover::blocks::Restored>
restore_from_store(const StoreRequest& request,
                   mover::blocks::RestoreRequest restore_request,
                   const OnStoreProgress& on_progress);

// `file` is made, and must not exist.
[[nodiscard]] AppResult<mover::blocks::ExportReport>
export_from_store(const StoreRequest& request, const std::string& version, const std::string& file);
// Holds backy2's locks during the import.
[[nodiscard]] AppResult<mover::blocks::ImportReport> import_to_store(const StoreRequest& request,
                                                                     const std::string& file);

struct StoreUpgradeRequest {
    StoreRequest store;
    bool undo = false;
    bool dry_run = false;
    std::string copy;             // of the metadata; empty: a new name beside them
    std::string copy_to_restore;  // not empty: this copy is put back instead
    std::string keep_as;  // with `back`: the tables of now go to the schema drydock_before_<this>
    bool copy_only = false;  // makes the copy, and changes nothing
};

struct StoreUpgraded {
    mover::blocks::UpgradeReport report;
    bool dry_run = false;
    bool copy_only = false;
    std::string copy;                // empty: none was made
    std::vector<std::string> notes;  // steps left to a person
};

// Holds backy2's locks during the upgrade.
[[nodiscard]] AppResult<StoreUpgraded> upgrade_store(const StoreUpgradeRequest& request);

struct StoreRewriteRequest {
    StoreRequest store;
    mover::blocks::RewriteWork work = mover::blocks::RewriteWork::encrypt;
    std::string new_key_file;  // rekey; encrypt takes the key of the store
    std::string journal;       // empty: encrypt.journal or rekey.journal in `<data>.drydock`
    std::size_t batch = 1024;  // blobs a transaction
    bool frees_old = false;    // once all is verified, the old blobs are removed
    bool goes_back = false;
    bool dry_run = false;
    bool is_quick = false;                  // of a dry run: whether there is any blob, not how many
    std::function<bool()> is_to_stop = {};  // asked between two batches; may be empty
};

struct StoreRewritten {
    mover::blocks::RewriteReport report;
    mover::blocks::FreeReport freed;
    mover::blocks::BackReport back_report;
    std::int64_t to_do = 0;  // of a dry run: blobs
    bool frees_old = false;
    bool goes_back = false;
    bool dry_run = false;
    std::string journal;
};

// Holds backy2's locks during the work.
[[nodiscard]] AppResult<StoreRewritten> rewrite_store(const StoreRewriteRequest& request,
                                                      const OnStoreProgress& on_progress);

}  // namespace drydock::app
