// Bucket: the objects of one S3 bucket. Start here; then curl_library.h (HTTP), list_answer.h
// (XML).
//
// Requests are signed with AWS signature version 4, so that the server proves the bytes of a PUT by
// their SHA-256. What a retry can cure is tried again. Thread-safe. It needs libcurl.so.4.
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

    // Also "s3.missing", and "s3.too_large" for an object of more than `bytes_max`.
    [[nodiscard]] Result<std::string> get(const std::string& key, std::size_t bytes_max) const;
    // Stores a new object; durable when it returns. Also "s3.exists", if the server can tell.
    [[nodiscard]] Status put(const std::string& key, std::string_view bytes) const;
    // Size of the object; none if there is none.
    [[nodiscard]] Result<std::optional<std::int64_t>> bytes_of(const std::string& key) const;
    // Idempotent: S3 does not tell whether the object was there.
    [[nodiscard]] Status remove(const std::string& key) const;
    // Up to 1000 objects behind the key `after`, in the bytewise order of their keys. Also
    // "s3.missing" if there is no such bucket.
    [[nodiscard]] Result<ListPage> list(const std::string& marker) const;

private:
    [[nodiscard]] std::string url_of(const std::string& key) const;

    BucketAddress address_;
    std::unique_ptr<Connections> connections_;
};

}  // namespace drydock::mover::s3
