// Blobs in an S3 bucket: the key of each is its uid.
//
// Errors of the bucket become errors of the backend, so callers see the same codes for a folder and
// a bucket. A stored object is durable, so sync() has nothing to do.
#include "mover/blocks/data_backend.h"
#include "mover/s3/bucket.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace drydock::mover::blocks {
namespace {

constexpr const char* k_other_copy =
    "the block is lost here: take it from another copy of the store";

// Returns the error with the code of a backend that cannot be reached.
Error as_data_error(const Error& error) {
    Error data_error = error;
    data_error.code = "blocks.data";
    return data_error;
}

class S3Names final : public BlobNames {
public:
    explicit S3Names(const s3::Bucket& bucket) : bucket_(bucket) {}

    [[nodiscard]] Result<std::optional<BlobFile>> next() override;

    [[nodiscard]] std::int64_t strange() const override { return strange_; }

private:
    [[nodiscard]] Status read_page();

    const s3::Bucket& bucket_;
    std::deque<s3::Object> page_;
    std::string last_;
    bool has_more_ = true;
    std::int64_t strange_ = 0;
};

// Reads the next page. A server that repeats keys would make an endless list, so the last key must
// grow.
Status S3Names::read_page() {
    auto page = bucket_.list(last_);
    if (!page) {
        return tl::unexpected(as_data_error(page.error()));
    }
    if (page->has_more && page->objects.back().key <= last_) {
        return fail("blocks.data",
                    fmt::format("the server lists {} again", page->objects.back().key),
                    "look at the server: drydock needs keys in bytewise order");
    }
    has_more_ = page->has_more;
    page_.assign(page->objects.begin(), page->objects.end());
    last_ = page_.empty() ? last_ : page_.back().key;
    return {};
}

Result<std::optional<BlobFile>> S3Names::next() {
    while (true) {
        while (page_.empty() && has_more_) {
            DRYDOCK_TRY(read_page());
        }
        if (page_.empty()) {
            return std::nullopt;
        }
        const s3::Object object = std::move(page_.front());
        page_.pop_front();
        if (is_blob_uid(object.key)) {
            return BlobFile{object.key, object.bytes};
        }
        ++strange_;
    }
}

class S3Backend final : public DataBackend {
public:
    explicit S3Backend(const S3Address& address)
        : name_("s3://" + address.bucket)
        , bucket_({address.endpoint,
                   address.bucket,
                   address.region.empty() ? "us-east-1" : address.region,
                   address.access_key,
                   address.secret_key,
                   address.has_bucket_in_host}) {}

    [[nodiscard]] const std::string& name() const override { return name_; }

    [[nodiscard]] Result<std::string> place_of(const std::string& uid) const override;
    [[nodiscard]] Status check() const override;
    [[nodiscard]] Status
    read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const override;
    [[nodiscard]] Status write(const std::string& uid, std::string_view bytes) const override;

    // A stored object is durable.
    [[nodiscard]] Status sync() const override { return {}; }

    // Nothing is cached here.
    void forget_cached(const std::string&) const override {}

    [[nodiscard]] Result<bool> remove(const std::string& uid) const override;
    [[nodiscard]] Result<std::optional<std::int64_t>>
    bytes_of(const std::string& uid) const override;

    [[nodiscard]] std::unique_ptr<BlobNames> names() const override {
        return std::make_unique<S3Names>(bucket_);
    }

private:
    std::string name_;
    s3::Bucket bucket_;
};

Result<std::string> S3Backend::place_of(const std::string& uid) const {
    if (!is_blob_uid(uid)) {
        return fail("blocks.uid", "the uid of a blob is no plain name", "look at the table blocks");
    }
    return name_ + "/" + uid;
}

Status S3Backend::check() const {
    const auto page = bucket_.list("");
    return page ? Status{} : tl::unexpected(as_data_error(page.error()));
}

Status S3Backend::read(const std::string& uid, std::size_t bytes_max, Buffer& bytes) const {
    DRYDOCK_TRY(place_of(uid));
    const auto object = bucket_.get(uid, bytes_max);
    if (object) {
        bytes.reset(object->size());
        std::ranges::copy(*object, bytes.data());
        return {};
    }
    if (object.error().code == "s3.missing") {
        return fail("blocks.missing", "there is no such object", k_other_copy);
    }
    if (object.error().code == "s3.too_large") {
        return fail("blocks.size",
                    fmt::format("the object is longer than {} bytes", bytes_max),
                    k_other_copy);
    }
    return fail("blocks.read", object.error().message, object.error().remedy);
}

Status S3Backend::write(const std::string& uid, std::string_view bytes) const {
    DRYDOCK_TRY(place_of(uid));
    const Status status = bucket_.put(uid, bytes);
    if (status) {
        return {};
    }
    const bool exists = status.error().code == "s3.exists";
    return fail(exists ? "blocks.exists" : "blocks.write",
                status.error().message,
                status.error().remedy,
                status.error().kind);
}

// Asks for the size before the removal, since S3 does not report if an object existed.
Result<bool> S3Backend::remove(const std::string& uid) const {
    DRYDOCK_TRY_ASSIGN(const auto bytes, bytes_of(uid));
    if (!bytes) {
        return false;
    }
    const Status status = bucket_.remove(uid);
    return status ? Result<bool>(true)
                  : fail("blocks.write", status.error().message, status.error().remedy);
}

Result<std::optional<std::int64_t>> S3Backend::bytes_of(const std::string& uid) const {
    DRYDOCK_TRY(place_of(uid));
    auto bytes = bucket_.bytes_of(uid);
    return bytes ? bytes : fail("blocks.read", bytes.error().message, bytes.error().remedy);
}

}  // namespace

Blobs s3_backend(const S3Address& address) {
    return std::make_shared<S3Backend>(address);
}

}  // namespace drydock::mover::blocks
