// Start here for whole buckets: clone(), one bucket or prefix made equal to another one. Then
// compare.h (verify, manifest), object_copy.h (one object), range_walk.h and list_cursor.h
// (listings), client.h and http_loop.h (requests).
//
// Within one server objects are copied by the server itself, but for those that it cannot copy part
// by part; the bytes of these, and all bytes between two servers, pass through this process.
// Nothing at the target is deleted, and nothing is replaced unless the caller says so. The target
// and a small journal are the record of what is done, so a clone that was killed goes on, and a
// clone that is complete costs two listings. One thread.
#pragma once

#include "mover/s3/abilities.h"
#include "mover/s3/bucket_settings.h"
#include "mover/s3/client.h"
#include "mover/s3/object_upload.h"
#include "mover/s3/part_sizes.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace drydock::mover::s3 {

struct BucketPlace {
    ServerAddress server;
    std::string bucket;
    std::string prefix;  // keys are relative to it; empty: the whole bucket

    [[nodiscard]] std::string text() const { return "s3://" + bucket + "/" + prefix; }
};

// The number of keys, and the first of them.
struct KeyList {
    std::int64_t count = 0;
    std::vector<std::string> keys;

    void add(const std::string& key);
};

struct KeyFailure {
    std::string key;
    Error error;
};

// Adds a failure, if it is one of the first.
void add_failure(std::vector<KeyFailure>& failures, const std::string& key, const Error& error);

// Of bytes that pass through this process. A request and its answer have copies: the process takes
// some three times as much.
inline constexpr std::int64_t k_memory_bytes_max = 128LL << 20U;

struct WalkProgress {
    std::int64_t done = 0;   // keys
    std::int64_t known = 0;  // keys that were listed so far
    std::int64_t total = 0;  // keys in all; 0: nobody counted them
    std::int64_t bytes = 0;  // that were copied
};

using Progressed = std::function<void(const WalkProgress&)>;

struct CloneRequest {
    BucketPlace source;
    BucketPlace target;
    std::string journal;           // path of the file; unused in a dry run
    bool has_versions = false;     // every version in order, with delete markers
    bool replaces = false;         // objects of the target that differ
    bool keeps_acl = false;        // two requests more for each object
    bool copies_settings = false;  // of the bucket: versioning, policy, lifecycle, CORS, tags
    bool passes_bytes = false;     // also within one server; between two it is so anyway
    bool dry_run = false;
    bool counts_first = false;  // lists the source once more beforehand, for the total
    ClientLimits limits = {};
    std::size_t ranges_max = 8;
    std::int64_t memory_bytes_max = k_memory_bytes_max;
    std::int64_t copy_bytes_max = k_copy_bytes_max;
    std::int64_t piece_bytes_max = k_piece_bytes_max;
    Progressed progressed = {};
    // Asked often; may be empty. Once it is true, no further copy begins, those in flight end, and
    // the clone ends with "s3.paused". The same call goes on.
    std::function<bool()> is_to_stop = {};
};

struct CloneReport {
    std::int64_t objects = 0;        // keys of the source; with versions: keys, too
    std::int64_t equal = 0;          // that were at the target already
    std::int64_t copied = 0;         // objects or versions
    std::int64_t markers = 0;        // delete markers that were set
    std::int64_t bytes = 0;          // of the copied ones
    std::int64_t relayed_bytes = 0;  // of these: the server copies no parts, so they passed through
    std::int64_t recorded = 0;       // of the copied ones: with another ETag than the source
    std::int64_t vanished = 0;       // deleted at the source in the meantime
    KeyList differ;                  // at the target with other content, and not replaced
    KeyList extra;                   // at the target only
    KeyList skipped;                 // paths of a folder that are no regular files
    std::int64_t failed = 0;
    std::vector<KeyFailure> failures;  // the first of them
    std::int64_t removed_uploads = 0;  // of an earlier run, or of a lost answer
    KeyList unsure_uploads;            // keys of the target that may have one that is left
    bool is_resumed = false;
    bool source_has_versions = false;
    bool passed_bytes = false;  // all of them, through this process
    Abilities abilities;
    std::vector<SettingDifference> settings;
    CallCounters calls;
    std::int64_t took_ms = 0;

    // True if the target has all that was to be cloned.
    [[nodiscard]] bool is_whole() const {
        return failed == 0 && differ.count == 0 && skipped.count == 0;
    }
};

// Returns the error "s3.paused" of a copy that was asked to stop.
[[nodiscard]] tl::unexpected<Error> paused_copy(const CloneReport& report);

// Clones. Failures of single keys are in the report. Errors, after which the journal tells what is
// left: "s3.same" for places that overlap, "s3.versions_off", "s3.paused", those of the journal, of
// the listing, and of the client.
[[nodiscard]] Result<CloneReport> clone(const CloneRequest& request, os::Clock& clock);

}  // namespace drydock::mover::s3
