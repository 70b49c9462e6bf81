// Converts one blob of backy2 to the plain block, checked.
//
// A blob of enc_version 0 is the block itself. One of enc_version 1 is GCM tag, nonce, and the
// ciphertext of one zstd frame. The row contains the data key, wrapped (RFC 3394) by the key of the
// configuration. Thread-safe.
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
    bool reads_from_disk = false;          // drops the cached pages of a blob before it is read
};

// Returns the 32 bytes of 64 hex digits. Error: "blocks.key".
[[nodiscard]] Result<std::string> read_key(std::string_view hex);

// True if the key opens the envelope of a row.
[[nodiscard]] bool opens_envelope(const std::string& key, const std::string& envelope);

// Returns OpenSSL's name of a hash function of Python's hashlib. Error: "blocks.hash".
[[nodiscard]] Result<std::string> hash_name(const std::string& python_name);

// Returns the plain bytes, after a comparison with the row's size and checksum. Needs memory for
// about three blocks. Errors name the blob: "blocks.missing", "blocks.read", "blocks.size",
// "blocks.checksum", "blocks.no_checksum", "blocks.key" (wrong or absent), "blocks.tag" (damaged),
// "blocks.frame", "blocks.enc_version", "blocks.uid".
[[nodiscard]] Result<std::string> read_block(const BlobReader& reader, const BlockRow& row);

// Does the same without a copy. `use` gets the plain bytes, which lie in a buffer of this thread
// until `use` returns. It must read no other block. Returns the error of `use`.
using UseBlock = std::function<Status(std::string_view plain)>;
[[nodiscard]] Status use_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use);

// Does the same for many blocks, in their order; `use` gets the index of the row. Blocks of one
// size are hashed side by side, so a thread keeps up to eight of them. Returns one status for each
// row.
using UseOneOf = std::function<Status(std::size_t i, std::string_view plain)>;
[[nodiscard]] std::vector<Status>
use_blocks(const BlobReader& reader, const std::vector<const BlockRow*>& rows, const UseOneOf& use);

// Does the same as use_block() without the checksum: for bytes with another proof.
[[nodiscard]] Status
use_decoded_block(const BlobReader& reader, const BlockRow& row, const UseBlock& use);

}  // namespace drydock::mover::blocks
