// The use cases of `drydock copy`, `verify` and `manifest`: buckets of S3, cloned, compared and
// written down. No cluster is asked; a cluster file may name the buckets.
//
// Exit codes of failures: 1 for refusals and servers, 2 for wrong input and settings, 75 if it was
// asked to stop and did.
#pragma once

#include "app/app.h"
#include "mover/s3/aws_settings.h"
#include "mover/s3/clone.h"
#include "mover/s3/compare.h"

#include <iosfwd>
#include <string>

namespace drydock::app {

// One side as it was typed. Keys come from Amazon's variables and files, never from here.
struct BucketSide {
    // "s3://BUCKET[/PREFIX]"; also the path of a folder, and to verify that of a manifest
    std::string uri;
    mover::s3::TypedSettings settings;
};

struct BucketCopyRequest {
    Options options;  // cluster_file: names the buckets; empty: no file does
    BucketSide source;
    BucketSide target;
    std::string journal;  // empty: a file of its own below the state folder
    bool has_versions = false;
    bool replaces = false;
    bool keeps_acl = false;
    bool copies_settings = false;
    bool passes_bytes = false;
    bool dry_run = false;
    bool counts_first = false;
    int in_flight_max = 256;
    mover::s3::Progressed progressed = {};
    std::function<bool()> is_to_stop = {};  // asked often; may be empty
};

struct BucketCopied {
    mover::s3::CloneReport report;
    std::string source;
    std::string target;
    std::string journal;
    bool has_versions = false;
    bool dry_run = false;
};

[[nodiscard]] AppResult<BucketCopied> copy_bucket(const BucketCopyRequest& request);

struct BucketVerifyRequest {
    Options options;  // cluster_file: names the buckets; empty: no file does
    BucketSide source;
    BucketSide target;
    bool has_versions = false;
    bool reads_all = false;
    int in_flight_max = 256;
    mover::s3::Progressed progressed = {};
};

[[nodiscard]] AppResult<mover::s3::CompareReport>
verify_buckets(const BucketVerifyRequest& request);

struct BucketManifestRequest {
    Options options;  // cluster_file: names the buckets; empty: no file does
    BucketSide place;
    bool has_versions = false;
    bool has_digests = false;
    int in_flight_max = 256;
    std::string output;  // a new file; empty: `stream`
    std::ostream* stream = nullptr;
    mover::s3::Progressed progressed = {};
};

// A file gets its name only when it is complete.
[[nodiscard]] AppResult<mover::s3::ManifestReport>
write_bucket_manifest(const BucketManifestRequest& request);

}  // namespace drydock::app
