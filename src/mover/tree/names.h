// Names: what an open folder lists, some hundred names at a time and never all of them.
//
// Not thread-safe; one thread after another may go on with the list.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock::mover::tree {

enum class Listed : std::uint8_t { file, folder, other, unknown };

struct Name {
    std::string text;
    Listed listed = Listed::unknown;
    std::uint64_t inode = 0;
};

// Returns the next names without "." and "..", in the order of their inodes: a cold disk is read
// in that order. Empty at the end. Error: "tree.list".
[[nodiscard]] Result<std::vector<Name>> next_names(int folder);

}  // namespace drydock::mover::tree
