// A plain block to a blob of enc_version 1, and names for new blobs. Thread-safe.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace drydock::mover::blocks {

struct SealedBlock {
    std::string_view
        bytes;  // tag, nonce, ciphertext of one zstd frame; until the thread's next seal()
    std::string envelope;  // hex: the data key, wrapped
    std::string nonce;     // hex, a copy of that in the bytes
};

// Draws a data key and a nonce of its own. `key` has 32 bytes. Error: "blocks.seal".
[[nodiscard]] Result<SealedBlock> seal(std::string_view plain, const std::string& key);

// 32 characters as backy2 draws them: 10 hex digits, so that folders fill evenly, and 22 random
// ones. The first four are those of `neighbour`, so that the blob needs no new folder; empty:
// drawn. Error: "blocks.seal".
[[nodiscard]] Result<std::string> new_blob_uid(const std::string& neighbour);

}  // namespace drydock::mover::blocks
