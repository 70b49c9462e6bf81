// One blob of backy2 to the plain block, checked.
//
// enc_version 0 is the block itself; 1 is GCM tag, nonce, and the ciphertext of one zstd frame.
// The data key stands in the row, wrapped (RFC 3394) by the key of the config. Thread-safe.
#pragma once

#include "mover/blocks/data_backend.h"
#include "mover/blocks/metadata.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::blocks {

struct BlobReader {
    Blobs blobs;
    std::string key;                       // 32 bytes; empty: none given
    std::string hash_function = "sha512";  // as OpenSSL names it
    std::string other_key = {};            // tried where `key` does not open; may be empty
    bool reads_from_disk = false;          // drops what memory has of a blob before it is read
};

// The 32 bytes of 64 hex digits. Error: "blocks.key".
[[nodiscard]] Result<std::string> read_key(std::string_view hex);

// True if the key opens the envelope of a row.
[[nodiscard]] bool opens_envelope(const std::string& key, const std::string& envelope);

// OpenSSL's name of a hash function that Python's hashlib knows. Error: "blocks.hash".
[[nodiscard]] Result<std::string> hash_name(const std::string& python_name);

// The plain bytes, equal to the row in size and checksum. Needs memory for about three blocks.
// Errors name the blob: "blocks.missing", "blocks.read", "blocks.size", "blocks.checksum",
// "blocks.no_checksum", "blocks.key" (wrong or absent), "blocks.tag" (damaged), "blocks.frame",
// "blocks.enc_version", "blocks.uid".
[[nodiscard]] Result<std::string> read_block(const BlobReader& reader, const BlockRow& row);

// The same without a copy: `use` gets the plain bytes, which lie in a buffer of this thread and are
// gone when it returns. It must read no other block. Its error is the answer.
using UseBlock = std::function<Status(std::string_view plain)>;
[[nodiscard]] Status use_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use);

// The same of many blocks, in their order; `use` gets the index of the row. Blocks of one size are
// hashed side by side, so a thread keeps up to eight of them. Answers one status for each row.
using UseOneOf = std::function<Status(std::size_t i, std::string_view plain)>;
[[nodiscard]] std::vector<Status>
use_blocks(const BlobReader& reader, const std::vector<const BlockRow*>& rows, const UseOneOf& use);

// The same as use_block() but for the checksum: for bytes that something else proves.
[[nodiscard]] Status
use_decoded_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use);

}  // namespace drydock::mover::blocks
