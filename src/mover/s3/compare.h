// Two buckets compared without a change to either: verify(). One bucket written down:
// write_manifest(). Folders and manifests are list_compare.h's.
#pragma once

#include "mover/s3/clone.h"

#include <cstdint>
#include <iosfwd>
#include <string>

namespace drydock::mover::s3 {

struct CompareRequest {
    BucketPlace source;
    BucketPlace target;
    bool has_versions = false;
    bool reads_all = false;  // also objects with the same ETag
    ClientLimits limits = {};
    std::size_t ranges_max = 8;
    Progressed progressed = {};
};

struct CompareReport {
    std::int64_t objects = 0;     // of the source; with versions: keys
    std::int64_t by_etag = 0;     // equal by ETag and size
    std::int64_t by_content = 0;  // equal by the digest of their bytes
    std::int64_t bytes_read = 0;  // of both sides
    KeyList missing;              // at the target
    KeyList differ;
    KeyList extra;    // at the target only
    KeyList skipped;  // paths of a source folder that are no regular files
    std::int64_t unread = 0;
    std::vector<KeyFailure> failures;  // of these, the first
    CallCounters calls;
    std::int64_t took_ms = 0;

    // Counts what a side has of one key, each with `key`; null: it has nothing. True if both have
    // it.
    template <class Side>
    bool count_pair(const Side* source, const Side* target) {
        if (source != nullptr) {
            ++objects;
        }
        if (source != nullptr && target == nullptr) {
            missing.add(source->key);
        } else if (source == nullptr && target != nullptr) {
            extra.add(target->key);
        }
        return source != nullptr && target != nullptr;
    }

    // Counts what the bytes of both sides have told, or why they could not be read.
    void count_read(const std::string& key, bool is_equal);
    void count_unread(const std::string& key, const Error& error);

    // True if the target has every object of the source. Extra ones do not count.
    [[nodiscard]] bool is_equal() const {
        return missing.count == 0 && differ.count == 0 && unread == 0 && skipped.count == 0;
    }
};

// Compares. Objects with equal ETags and sizes are equal; with equal sizes and other ETags both are
// read. Errors: those of the listing and of the client.
[[nodiscard]] Result<CompareReport> verify(const CompareRequest& request, os::Clock& clock);

struct ManifestRequest {
    BucketPlace place;
    bool has_versions = false;
    bool has_digests = false;  // SHA-256 of the bytes, for which every object is read
    ClientLimits limits = {};
    Progressed progressed = {};
};

struct ManifestReport {
    std::int64_t lines = 0;  // objects, or versions
    std::int64_t bytes = 0;
    CallCounters calls;
    std::int64_t took_ms = 0;
};

// Writes one JSON object a line, in the order of the keys, behind a line that names the format
// (docs/formats/s3.md). Error: the first failure; what was written then is no manifest.
[[nodiscard]] Result<ManifestReport>
write_manifest(const ManifestRequest& request, std::ostream& stream, os::Clock& clock);

}  // namespace drydock::mover::s3
