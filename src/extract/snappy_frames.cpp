// Reads snappy's framing format. libsnappy decompresses the blocks; the framing is read here.
//
// A chunk's lengths are compared with the limits of the format before any memory is touched.
// Chunks of reserved types are skipped or refused by their number, as the format demands. Streams
// that were joined have an identifier in the middle, which is allowed.
#include "extract/snappy_frames.h"

#include "extract/crc32c.h"

#include <fmt/format.h>
#include <snappy-c.h>

#include <algorithm>
#include <cstring>

namespace drydock::extract {

namespace {

constexpr std::size_t k_buffer_bytes = 256 * 1024;
constexpr std::size_t k_head_bytes = 4;
constexpr std::size_t k_crc_bytes = 4;
// The longest compressed form of 64 KiB, by libsnappy's bound, and the checksum.
constexpr std::size_t k_body_max = k_crc_bytes + 32 + k_chunk_data_max + k_chunk_data_max / 6;

constexpr std::uint8_t k_compressed = 0x00;
constexpr std::uint8_t k_uncompressed = 0x01;
constexpr std::uint8_t k_skippable_first = 0x80;
constexpr std::uint8_t k_identifier = 0xff;
constexpr std::string_view k_identifier_body = "sNaPpY";

std::uint32_t load_u32(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
        value |= std::uint32_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
}

}  // namespace

FrameReader::FrameReader(ByteSource& source) : source_(source) {
    buffer_.resize(k_buffer_bytes);
    data_.resize(k_chunk_data_max);
}

Result<std::string_view> FrameReader::next() {
    for (;;) {
        chunk_offset_ = offset_;
        DRYDOCK_TRY_ASSIGN(const std::size_t available, fill(k_head_bytes));
        if (available == 0) {
            return std::string_view{};
        }
        DRYDOCK_TRY_ASSIGN(const Chunk chunk, read_head(available));
        if (chunk.type == k_identifier) {
            DRYDOCK_TRY(read_identifier(chunk.size));
        } else if (chunk.type >= k_skippable_first) {
            DRYDOCK_TRY(skip_body(chunk.size));
        } else {
            DRYDOCK_TRY_ASSIGN(const std::string_view data, read_data(chunk));
            if (!data.empty()) {
                return data;
            }
        }
    }
}

// The rest, which is smaller than a chunk, is moved to the front, so that each read is large.
Result<std::size_t> FrameReader::fill(std::size_t size) {
    if (end_ - begin_ < size && begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    while (end_ - begin_ < size) {
        DRYDOCK_TRY_ASSIGN(const std::size_t count,
                           source_.read(buffer_.data() + end_, buffer_.size() - end_));
        if (count == 0) {
            break;
        }
        end_ += count;
    }
    return end_ - begin_;
}

void FrameReader::drop(std::size_t size) {
    begin_ += size;
    offset_ += static_cast<std::int64_t>(size);
}

// A stream without an identifier at its start is none; its first byte tells already.
Result<FrameReader::Chunk> FrameReader::read_head(std::size_t available) {
    const std::string_view head(buffer_.data() + begin_, available);
    const auto type = static_cast<std::uint8_t>(head[0]);
    if (!is_identified_ && type != k_identifier) {
        return fail("extract.not_snappy",
                    "does not begin with the identifier of a snappy stream",
                    "name a file that `pachctl extract` wrote, as it was written");
    }
    if (available < k_head_bytes) {
        return truncated();
    }
    const std::size_t size = load_u32(head) >> 8;
    drop(k_head_bytes);
    return Chunk{type, size};
}

Result<std::string_view> FrameReader::take_body(std::size_t size) {
    DRYDOCK_TRY_ASSIGN(const std::size_t available, fill(size));
    if (available < size) {
        return truncated();
    }
    const std::string_view body(buffer_.data() + begin_, size);
    drop(size);
    return body;
}

// A skippable chunk may have 16 MiB, so it passes through the buffer in pieces.
Status FrameReader::skip_body(std::size_t size) {
    while (size > 0) {
        const std::size_t piece = std::min(size, k_buffer_bytes / 2);
        DRYDOCK_TRY(take_body(piece));
        size -= piece;
    }
    return {};
}

Status FrameReader::read_identifier(std::size_t size) {
    if (size != k_identifier_body.size()) {
        return broken("an identifier of a wrong length");
    }
    DRYDOCK_TRY_ASSIGN(const std::string_view body, take_body(size));
    if (body != k_identifier_body) {
        return broken("an identifier with wrong letters");
    }
    is_identified_ = true;
    return {};
}

Result<std::string_view> FrameReader::read_data(const Chunk& chunk) {
    if (chunk.type != k_compressed && chunk.type != k_uncompressed) {
        return broken(fmt::format("a chunk of the unknown type {}", chunk.type));
    }
    if (chunk.size < k_crc_bytes || chunk.size > k_body_max) {
        return broken(fmt::format("a chunk of {} bytes", chunk.size));
    }
    DRYDOCK_TRY_ASSIGN(std::string_view body, take_body(chunk.size));
    const std::uint32_t expected = load_u32(body);
    body.remove_prefix(k_crc_bytes);
    if (chunk.type == k_uncompressed && body.size() > k_chunk_data_max) {
        return broken(fmt::format("a chunk with {} bytes of data", body.size()));
    }
    if (chunk.type == k_compressed) {
        DRYDOCK_TRY_ASSIGN(body, decompress(body));
    }
    if (masked_crc(crc32c(body)) != expected) {
        return fail("extract.crc",
                    fmt::format("the checksum of the chunk at byte {} is wrong", chunk_offset_),
                    "take another copy, or extract again");
    }
    return body;
}

Result<std::string_view> FrameReader::decompress(std::string_view body) {
    std::size_t size = 0;
    if (snappy_uncompressed_length(body.data(), body.size(), &size) != SNAPPY_OK
        || size > data_.size()) {
        return broken("a compressed chunk whose length is wrong");
    }
    if (snappy_uncompress(body.data(), body.size(), data_.data(), &size) != SNAPPY_OK) {
        return broken("a compressed chunk that cannot be decompressed");
    }
    return std::string_view(data_.data(), size);
}

tl::unexpected<Error> FrameReader::truncated() const {
    return fail("extract.truncated",
                fmt::format("the file ends inside of the chunk at byte {}", chunk_offset_),
                "take another copy, or extract again");
}

tl::unexpected<Error> FrameReader::broken(std::string_view reason) const {
    return fail("extract.chunk",
                fmt::format("{} at byte {}", reason, chunk_offset_),
                "take another copy, or extract again");
}

}  // namespace drydock::extract
