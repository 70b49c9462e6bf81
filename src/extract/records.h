// RecordReader: the records of an extract stream. Each is a length of 64 bits, little-endian, and
// one encoded Op. There is no header, no end mark and no count. Not thread-safe.
#pragma once

#include "base/result.h"
#include "extract/snappy_frames.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::extract {

// The longest record that is read, in bytes. pachd writes at most 10 MiB of a block into an op, and
// its clients send no message above 20 MiB.
inline constexpr std::int64_t k_record_bytes_max = 64 * 1024 * 1024;

class RecordReader {
public:
    // Borrows the frames.
    explicit RecordReader(FrameReader& frames) : frames_(frames) {}

    // Returns the next record, valid until the next call; nothing at the end. Errors:
    // "extract.truncated" for an end inside of a record, "extract.length" for a length below zero,
    // "extract.too_large" for more than k_record_bytes_max, and those of FrameReader.
    [[nodiscard]] Result<std::optional<std::string_view>> next();

    // Records that were returned so far.
    [[nodiscard]] std::int64_t records() const { return records_; }

    // Bytes of all records that were returned, with their lengths.
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }

private:
    // Appends `size` bytes to the body. Returns how many there were.
    [[nodiscard]] Result<std::size_t> gather(std::size_t size);
    [[nodiscard]] Result<std::string_view> take(std::size_t size);
    [[nodiscard]] tl::unexpected<Error> ended_inside(std::string_view part) const;

    FrameReader& frames_;
    std::string_view rest_;  // of the chunk
    std::string body_;       // a record that lies in several chunks
    std::int64_t records_ = 0;
    std::int64_t bytes_ = 0;
};

}  // namespace drydock::extract
