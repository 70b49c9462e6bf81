// Positions of a version as ranges of bytes.
#pragma once

#include "mover/blocks/metadata.h"

#include <cstdint>
#include <vector>

namespace drydock::mover::blocks {

struct ByteRange {
    std::int64_t offset = 0;
    std::int64_t bytes = 0;

    bool operator==(const ByteRange&) const = default;
};

// Returns the size of the block at a position; 0 beyond the end.
[[nodiscard]] std::int64_t block_size_at(const VersionRow& version, std::int64_t id);
// True if blocks of one size fill the version exactly.
[[nodiscard]] bool has_regular_size(const VersionRow& version);
// Returns the lost ranges; neighbours become one range. `lost` has one flag a position.
[[nodiscard]] std::vector<ByteRange> ranges_of(const VersionRow& version,
                                               const std::vector<bool>& lost);

}  // namespace drydock::mover::blocks
