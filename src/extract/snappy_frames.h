// FrameReader: the chunks of a stream in snappy's framing format, decompressed and checked.
//
// The format is a stream identifier, then chunks: one byte of type, three bytes of length, a masked
// CRC-32C and at most 64 KiB of data. Memory is fixed, whatever the stream says. Not thread-safe.
#pragma once

#include "base/result.h"
#include "extract/byte_source.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drydock::extract {

inline constexpr std::size_t k_chunk_data_max = 65'536;  // bytes, by the format

class FrameReader {
public:
    // Borrows the source.
    explicit FrameReader(ByteSource& source);

    // Returns the data of the next chunk, valid until the next call; empty at the end. Errors:
    // "extract.not_snappy" if the stream does not begin with an identifier, "extract.truncated" for
    // an end inside of a chunk, "extract.crc", "extract.chunk" for a chunk that breaks the format,
    // and those of the source.
    [[nodiscard]] Result<std::string_view> next();

    // The position of the last chunk in the source, in bytes.
    [[nodiscard]] std::int64_t chunk_offset() const { return chunk_offset_; }

private:
    struct Chunk {
        std::uint8_t type = 0;
        std::size_t size = 0;  // of its body, in bytes
    };

    // Reads until the buffer has that many bytes. Returns how many it has: fewer only at the end.
    [[nodiscard]] Result<std::size_t> fill(std::size_t size);
    [[nodiscard]] Result<Chunk> read_head(std::size_t available);
    // Returns the body of a chunk, taken out of the buffer.
    [[nodiscard]] Result<std::string_view> take_body(std::size_t size);
    [[nodiscard]] Status skip_body(std::size_t size);
    [[nodiscard]] Status read_identifier(std::size_t size);
    [[nodiscard]] Result<std::string_view> read_data(const Chunk& chunk);
    [[nodiscard]] Result<std::string_view> decompress(std::string_view body);
    [[nodiscard]] tl::unexpected<Error> truncated() const;
    [[nodiscard]] tl::unexpected<Error> broken(std::string_view reason) const;

    void drop(std::size_t size);

    ByteSource& source_;
    std::string buffer_;
    std::size_t begin_ = 0;  // of the bytes in the buffer that are not taken yet
    std::size_t end_ = 0;
    std::int64_t offset_ = 0;  // of begin_ in the source
    std::int64_t chunk_offset_ = 0;
    bool is_identified_ = false;
    std::string data_;  // of a compressed chunk
};

}  // namespace drydock::extract
