// Positions of a version as ranges of bytes.
#pragma once

#include "mover/blocks/metadata.h"

#include <bitset>
#include <cstdint>
#include <map>
#include <vector>

namespace drydock::mover::blocks {

struct ByteRange {
    std::int64_t offset = 0;
    std::int64_t bytes = 0;

    bool operator==(const ByteRange&) const = default;
};

// The positions from `first` to before `end`.
struct Positions {
    std::int64_t first = 0;
    std::int64_t end = 0;
};

// A set of positions. Its memory grows with their number and not with the largest one.
class PositionSet {
public:
    // Adds a position. Returns false if the set had it.
    bool add(std::int64_t id);
    // Returns the positions in their order, neighbours joined.
    [[nodiscard]] std::vector<Positions> ranges() const;

private:
    static constexpr std::size_t k_group = 4096;

    std::map<std::int64_t, std::bitset<k_group>> groups_;  // by position / k_group
};

// Returns the bytes of the block at a position; 0 beyond the end.
[[nodiscard]] std::int64_t block_size_at(const VersionRow& version, std::int64_t id);
// Returns the bytes of all blocks at these positions.
[[nodiscard]] std::int64_t bytes_at(const VersionRow& version, const Positions& positions);
// True if blocks of one size fill the version exactly.
[[nodiscard]] bool has_regular_size(const VersionRow& version);
// Returns the bytes at these positions, neighbours joined. No position may be in `lost` twice.
[[nodiscard]] std::vector<ByteRange> ranges_of(const VersionRow& version,
                                               std::vector<Positions> lost);

}  // namespace drydock::mover::blocks
