// DataBackend: the place of a store's blobs. backy2 has a kind for a folder and one for an S3
// bucket. Both keep one object a blob, named by its uid.
//
// Thread-safe. Errors name the object: "blocks.missing", "blocks.size" (longer than allowed),
// "blocks.read", "blocks.uid" (no plain name), those of writing.
#pragma once

#include "base/result.h"
#include "mover/blocks/buffer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::mover::blocks {

struct BlobFile {
    std::string uid;
    std::int64_t bytes = 0;
};

// The blobs of a backend in the bytewise order of their uids. Belongs to one thread.
class BlobNames {
public:
    virtual ~BlobNames() = default;
    // Returns the next blob, or nothing at the end. Error: "blocks.data".
    [[nodiscard]] virtual Result<std::optional<BlobFile>> next() = 0;
    // Returns the number of objects so far whose names cannot be those of blobs.
    [[nodiscard]] virtual std::int64_t strange() const = 0;
};

class DataBackend {
public:
    virtual ~DataBackend() = default;

    // Returns the name of the backend for messages and for the journal: a folder, or s3://BUCKET.
    [[nodiscard]] virtual const std::string& name() const = 0;
    // Returns the place of one blob for messages.
    [[nodiscard]] virtual Result<std::string> place_of(const std::string& uid) const = 0;
    // Checks that the backend exists. Error: "blocks.data".
    [[nodiscard]] virtual Status check() const = 0;

    // Fills the buffer with the whole blob.
    [[nodiscard]] virtual Status
    read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const = 0;
    // Writes a new blob, which is durable after sync(). Errors: "blocks.exists", "os.disk_full",
    // "blocks.write". After an error there is no blob of that name.
    [[nodiscard]] virtual Status write(const std::string& uid, std::string_view bytes) const = 0;
    // Makes all earlier blobs durable. Error: "os.sync".
    [[nodiscard]] virtual Status sync() const = 0;
    // Drops the cached pages of a blob, so that the next read comes from the disk.
    virtual void forget_cached(const std::string& uid) const = 0;
    // Removes a blob; returns true if it existed. Errors: "os.unlink", "blocks.write".
    [[nodiscard]] virtual Result<bool> remove(const std::string& uid) const = 0;
    // Returns the size of the object; nothing if there is none.
    [[nodiscard]] virtual Result<std::optional<std::int64_t>>
    bytes_of(const std::string& uid) const = 0;

    [[nodiscard]] virtual std::unique_ptr<BlobNames> names() const = 0;
};

// Shared, since readers are copied into threads.
using Blobs = std::shared_ptr<const DataBackend>;

// True for a name of the form that backy2 draws. Such a name is safe in a path.
[[nodiscard]] bool is_blob_uid(const std::string& uid);

struct S3Address {
    std::string endpoint;  // "http://host:9000"
    std::string bucket;
    std::string region;  // empty: that of the SDKs, us-east-1
    std::string access_key;
    std::string secret_key;
    bool has_bucket_in_host = false;
};

// Keeps one object a blob; its key is the uid.
[[nodiscard]] Blobs s3_backend(const S3Address& address);
// Keeps blobs at <folder>/<uid[0:2]>/<uid[2:4]>/<uid>.blob.
[[nodiscard]] Blobs file_backend(const std::string& folder);

}  // namespace drydock::mover::blocks
