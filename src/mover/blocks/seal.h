// Encrypts a plain block into a blob of enc_version 1, and draws names for new blobs. Thread-safe.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::mover::blocks {

struct SealedBlock {
    // Tag, nonce and ciphertext of one zstd frame; valid until the thread's next seal().
    std::string_view bytes;
    std::string envelope;  // hex: the data key, wrapped
    std::string nonce;     // hex, a copy of that in the bytes
};

// Encrypts with a new data key and nonce. `key` has 32 bytes. Error: "blocks.seal".
[[nodiscard]] Result<SealedBlock> seal(std::string_view plain, const std::string& key);

// Draws a name of 32 characters as backy2 does: 10 hex digits, which fill folders evenly, and 22
// random ones. The first four are those of `neighbour`, so the blob needs no new folder; empty:
// drawn. Error: "blocks.seal".
[[nodiscard]] Result<std::string> new_blob_uid(const std::string& neighbour);

}  // namespace drydock::mover::blocks
