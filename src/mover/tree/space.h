// Whether a target has room for a tree, before its first byte is written.
#pragma once

#include "base/result.h"
#include "mover/tree/copy.h"

#include <cstdint>

namespace drydock::mover::tree {

struct Need {
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0;
};

// Walks the tree and adds up what its entries take on its own disk. A file with several names
// counts for each of them, so the sum is too large rather than too small. Error: "tree.open".
[[nodiscard]] Result<Need> measure(const CopyRequest& request);

// Error: "tree.too_small" says how many bytes or inodes are missing. The tree is only walked for
// that if all that the source's file system holds would be too much.
[[nodiscard]] Status check_space(const CopyRequest& request, int target);

}  // namespace drydock::mover::tree
