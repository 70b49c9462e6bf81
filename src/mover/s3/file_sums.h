// FileSums: the digests of a file as its bytes come, to be held against the ETag of an object.
#pragma once

#include "mover/s3/part_sizes.h"
#include "mover/s3/running_sum.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

class FileSums {
public:
    // `part_size` is tried before the usual sizes of parts; 0: only those.
    FileSums(std::int64_t bytes, std::string etag, std::int64_t part_size);

    void add(std::string_view bytes);
    void finish();

    // True if the ETag is the digest of these bytes.
    [[nodiscard]] bool is_etag() const { return own_etag_ == etag_; }

    // True if an ETag that is another one means other bytes: it is the MD5 of a whole object. Sizes
    // of parts may be guessed wrong. Objects that are encrypted have ETags of their own, which only
    // their headers tell.
    [[nodiscard]] bool decides() const { return etag_.size() == 32; }

    [[nodiscard]] const std::string& sha256() const { return sha256_; }

private:
    std::string etag_;
    std::int64_t part_size_;  // 0: the object was put whole
    std::int64_t part_left_;
    RunningSum md5_{DigestKind::md5};
    RunningSum sha256_sum_{DigestKind::sha256};
    std::vector<std::string> part_sums_;
    std::string own_etag_;
    std::string sha256_;
};

}  // namespace drydock::mover::s3
