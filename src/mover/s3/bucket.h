// Start here: Bucket, the objects of one S3 bucket. Then curl_library.h (HTTP) and list_answer.h
// (XML).
//
// Requests are signed with AWS signature version 4, so the server verifies the bytes of a PUT by
// their SHA-256. Failures that a retry may cure are retried. Thread-safe. Needs libcurl.so.4.
#pragma once

#include "base/result.h"
#include "mover/s3/list_answer.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

struct BucketAddress {
    std::string endpoint;  // "https://s3.example.org:9000", without a path
    std::string bucket;
    std::string region = "us-east-1";
    std::string access_key;
    std::string secret_key;
    bool has_bucket_in_host = false;  // BUCKET.s3.example.org instead of a path
};

class Connections;

class Bucket {
public:
    explicit Bucket(BucketAddress address);
    Bucket(const Bucket&) = delete;
    Bucket& operator=(const Bucket&) = delete;
    ~Bucket();

    // Errors of all calls: "s3.denied" (keys or rights), "s3.unreachable" (transient), "s3.answer"
    // (anything else that the server says), "s3.library" without libcurl.

    // Returns the content of an object. Also "s3.missing", and "s3.too_large" for an object of more
    // than `bytes_max`.
    [[nodiscard]] Result<std::string> get(const std::string& key, std::size_t bytes_max) const;
    // Stores a new object, which is durable when put() returns. Also "s3.exists", if the server
    // supports the condition.
    [[nodiscard]] Status put(const std::string& key, std::string_view bytes) const;
    // Returns the size of an object; nothing if there is none.
    [[nodiscard]] Result<std::optional<std::int64_t>> bytes_of(const std::string& key) const;
    // Removes an object. Idempotent: S3 does not report if the object existed.
    [[nodiscard]] Status remove(const std::string& key) const;
    // Returns up to 1000 objects behind the key `marker`, in the bytewise order of their keys. Also
    // "s3.missing" if there is no such bucket.
    [[nodiscard]] Result<ListPage> list(const std::string& marker) const;

private:
    [[nodiscard]] std::string url_of(const std::string& key) const;

    BucketAddress address_;
    std::unique_ptr<Connections> connections_;
};

}  // namespace drydock::mover::s3
