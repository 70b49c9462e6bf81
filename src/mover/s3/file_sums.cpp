// Cuts the bytes where the parts of the object end.
#include "mover/s3/file_sums.h"

#include <algorithm>

namespace drydock::mover::s3 {

FileSums::FileSums(std::int64_t bytes, std::string etag, std::int64_t part_size)
    : etag_(std::move(etag))
    , part_size_(0)
    , part_left_(0) {
    if (const std::int64_t parts = parts_of_etag(etag_); parts > 0 && bytes > 0) {
        const auto own = part_size > 0 ? part_size_of(bytes, parts, part_size) : std::nullopt;
        part_size_ = own ? *own : part_size_of(bytes, parts, 0).value_or(0);
    }
    part_left_ = part_size_;
}

void FileSums::add(std::string_view bytes) {
    sha256_sum_.add(bytes);
    while (part_size_ > 0 && static_cast<std::int64_t>(bytes.size()) >= part_left_) {
        md5_.add(bytes.substr(0, static_cast<std::size_t>(part_left_)));
        bytes.remove_prefix(static_cast<std::size_t>(part_left_));
        part_sums_.push_back(md5_.take());
        part_left_ = part_size_;
    }
    md5_.add(bytes);
    part_left_ -= part_size_ > 0 ? static_cast<std::int64_t>(bytes.size()) : 0;
}

void FileSums::finish() {
    sha256_ = sha256_sum_.take();
    const std::string last = md5_.take();
    if (part_size_ == 0) {
        own_etag_ = last;
        return;
    }
    if (part_left_ < part_size_) {
        part_sums_.push_back(last);
    }
    own_etag_ = etag_of_parts(part_sums_);
}

}  // namespace drydock::mover::s3
