// Writes extract streams for this folder's tests: messages, ops, records and snappy frames. Only
// tests and the fuzzer's seeds use it; what pachd itself writes is tested in tests/extract.
#pragma once

#include "extract/crc32c.h"
#include "extract/op.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::extract {

inline std::string varint(std::uint64_t value) {
    std::string bytes;
    for (; value >= 0x80; value >>= 7) {
        bytes += static_cast<char>(value | 0x80U);
    }
    return bytes + static_cast<char>(value);
}

// A field with bytes: a string or a message.
inline std::string field(std::uint32_t number, std::string_view bytes) {
    return varint(std::uint64_t{number} << 3 | 2U) + varint(bytes.size()) + std::string(bytes);
}

// {1: {1: name}}, the form of repos, pipelines and objects.
inline std::string named(std::string_view name) {
    return field(1, field(1, name));
}

inline std::string commit_id(std::string_view repo, std::string_view id) {
    return named(repo) + field(2, id);
}

inline std::string op(int minor, OpKind kind, std::string_view body) {
    const auto kind_number = static_cast<std::uint32_t>(kind) + 2;
    return field(static_cast<std::uint32_t>(minor - k_minor_first + 1), field(kind_number, body));
}

// A finished commit of 1.11 with a tree.
inline std::string commit(std::string_view repo, std::string_view id, std::string_view parent) {
    return field(1, commit_id(repo, parent)) + field(3, field(1, "tree")) + field(5, id)
           + field(10, "") + field(11, "");
}

inline std::string branch(std::string_view repo, std::string_view name, std::string_view head) {
    return field(1, commit_id(repo, head)) + field(3, commit_id(repo, name));
}

inline std::string little_endian(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) {
        text += static_cast<char>(value >> (8 * i));
    }
    return text;
}

inline std::string record(std::string_view bytes) {
    return little_endian(bytes.size(), 8) + std::string(bytes);
}

inline std::string records(const std::vector<std::string>& ops) {
    std::string text;
    for (const std::string& bytes : ops) {
        text += record(bytes);
    }
    return text;
}

inline const std::string k_identifier_chunk("\xff\x06\x00\x00sNaPpY", 10);

inline std::string chunk(std::uint8_t type, std::string_view body) {
    return static_cast<char>(type) + little_endian(body.size(), 3) + std::string(body);
}

inline std::string plain_chunk(std::string_view data) {
    return chunk(1, little_endian(masked_crc(crc32c(data)), 4) + std::string(data));
}

// A snappy block of one literal. It is longer than its data, and libsnappy reads it like any other.
inline std::string literal_block(std::string_view data) {
    if (data.empty()) {
        return varint(0);
    }
    const std::uint64_t last = data.size() - 1;
    return varint(data.size()) + "\xf4" + little_endian(last, 2) + std::string(data);
}

inline std::string compressed_chunk(std::string_view data) {
    return chunk(0, little_endian(masked_crc(crc32c(data)), 4) + literal_block(data));
}

// The stream, cut into chunks of that many bytes, every other one compressed.
inline std::string framed(std::string_view data, std::size_t chunk_bytes = 65'536) {
    std::string text = k_identifier_chunk;
    for (bool is_plain = false; !data.empty(); is_plain = !is_plain) {
        const std::string_view piece = data.substr(0, chunk_bytes);
        text += is_plain ? plain_chunk(piece) : compressed_chunk(piece);
        data.remove_prefix(piece.size());
    }
    return text;
}

}  // namespace drydock::extract
