// The use cases of `drydock copy`, `verify` and `manifest` for folders: trees of files, copied,
// compared and written down. No cluster is asked.
//
// Exit codes of failures: 1 for refusals, 2 for wrong input, 75 if it was asked to stop and did.
#pragma once

#include "app/app.h"
#include "mover/tree/copy.h"
#include "mover/tree/space.h"
#include "mover/tree/verify.h"

#include <string>
#include <vector>

namespace drydock::app {

// What all three commands choose.
struct TreeChoice {
    std::string digest;      // "xxh3-128" or "sha256"; empty: the first
    std::uint64_t jobs = 0;  // threads; 0: as many as the disk makes worthwhile
    bool stays_on_file_system = false;
    std::vector<std::string> excluded;  // patterns of names, or of paths if they have a slash
    std::vector<std::string> included;  // all other files are left out, unless it is empty
    std::function<void(const mover::tree::Progress&)> progressed = {};
};

struct TreeCopyRequest {
    std::string source;
    std::string target;
    std::string journal;     // a folder; empty: one of its own below the state folder
    std::string manifest;    // a new file; empty: none
    std::string attributes;  // a manifest whose attributes the target gets in the end; empty: none
    TreeChoice choice;
    bool replaces = false;
    bool is_durable = true;
    bool dry_run = false;
    bool removes_extra = false;  // of the target; without `is_sure` it is a dry run
    bool is_sure = false;
    std::uint64_t bytes_per_second = 0;  // at most; 0: as many as can be
    std::function<bool()> is_to_stop = {};
    mover::tree::Team* team = nullptr;  // this process is rank 0 of it; null: it copies alone
};

struct TreeCopied {
    mover::tree::CopyReport report;
    std::string source;
    std::string target;
    std::string journal;          // empty in a dry run
    mover::tree::Need need;       // of a dry run
    bool dry_run = false;         // then `report` has nothing but what would be removed
    bool is_unconfirmed = false;  // nothing was done for that reason
};

[[nodiscard]] AppResult<TreeCopied> copy_tree(const TreeCopyRequest& request);

struct TreeVerifyRequest {
    std::string source;  // a folder, or a manifest of one
    std::string target;
    TreeChoice choice;
    bool reads_disk = false;
};

[[nodiscard]] AppResult<mover::tree::Compared> verify_trees(const TreeVerifyRequest& request);

struct TreeManifestRequest {
    std::string source;
    std::string output;  // a new file
    TreeChoice choice;
    bool reads_disk = false;
};

[[nodiscard]] AppResult<mover::tree::ManifestReport>
write_tree_manifest(const TreeManifestRequest& request);

// True for the path of a folder, of the manifest of one, or of nothing: no bucket, and no manifest
// of a bucket.
[[nodiscard]] bool is_tree(const std::string& place);

}  // namespace drydock::app
