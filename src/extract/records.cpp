// Cuts the chunks into records. A record inside of one chunk is not copied.
//
// The buffer of a longer record grows with the bytes that are really there. A length that lies
// costs no memory.
#include "extract/records.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::extract {

namespace {

constexpr std::size_t k_length_bytes = 8;

std::int64_t load_i64(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < k_length_bytes; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return static_cast<std::int64_t>(value);
}

}  // namespace

Result<std::optional<std::string_view>> RecordReader::next() {
    DRYDOCK_TRY_ASSIGN(const std::string_view head, take(k_length_bytes));
    if (head.empty()) {
        return std::nullopt;
    }
    if (head.size() < k_length_bytes) {
        return ended_inside("the length");
    }
    const std::int64_t length = load_i64(head);
    if (length < 0) {
        return fail("extract.length",
                    fmt::format("op {} has the length {}", records_ + 1, length),
                    "take another copy, or extract again");
    }
    if (length > k_record_bytes_max) {
        return fail("extract.too_large",
                    fmt::format("op {} has {} bytes, and at most {} are read",
                                records_ + 1,
                                length,
                                k_record_bytes_max),
                    "pachd writes no op above 20 MiB: the file is damaged, or of another program");
    }
    DRYDOCK_TRY_ASSIGN(const std::string_view body, take(static_cast<std::size_t>(length)));
    if (body.size() < static_cast<std::size_t>(length)) {
        return ended_inside("the bytes");
    }
    ++records_;
    bytes_ += static_cast<std::int64_t>(k_length_bytes) + length;
    return body;
}

// Returns fewer bytes only at the end of the stream.
Result<std::string_view> RecordReader::take(std::size_t size) {
    if (rest_.size() >= size && !rest_.empty()) {
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    body_.clear();
    DRYDOCK_TRY_ASSIGN(const std::size_t count, gather(size));
    return std::string_view(body_.data(), count);
}

Result<std::size_t> RecordReader::gather(std::size_t size) {
    while (body_.size() < size) {
        if (rest_.empty()) {
            DRYDOCK_TRY_ASSIGN(rest_, frames_.next());
        }
        if (rest_.empty()) {
            break;
        }
        const std::size_t piece = std::min(size - body_.size(), rest_.size());
        body_.append(rest_.substr(0, piece));
        rest_.remove_prefix(piece);
    }
    return body_.size();
}

tl::unexpected<Error> RecordReader::ended_inside(std::string_view part) const {
    return fail("extract.truncated",
                fmt::format("the file ends inside of {} of op {}", part, records_ + 1),
                "take another copy, or extract again");
}

}  // namespace drydock::extract
