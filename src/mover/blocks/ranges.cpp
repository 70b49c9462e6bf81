// Positions of a version as ranges of bytes, for reports on lost parts of an image.
//
// Positions, sizes and numbers of blocks come from a database that may be damaged. Each is limited
// to 31 bits or counts as none, so that products stay below 2^62 and no sum overflows.
#include "mover/blocks/ranges.h"

#include <algorithm>

namespace drydock::mover::blocks {
namespace {

constexpr std::int64_t k_positions_max = std::int64_t{1} << 31;

// Returns the first byte of a position; the size of the version at its end and beyond.
std::int64_t offset_of(const VersionRow& version, std::int64_t id) {
    const std::int64_t offset = std::clamp<std::int64_t>(id, 0, k_positions_max)
                                * std::clamp<std::int64_t>(version.block_bytes, 0, k_positions_max);
    return std::min(offset, std::max<std::int64_t>(version.bytes, 0));
}

}  // namespace

// A group of bits is allocated with its first position.
bool PositionSet::add(std::int64_t id) {
    const auto group = static_cast<std::int64_t>(k_group);
    auto bit = groups_[id / group][static_cast<std::size_t>(id % group)];
    const bool is_new = !bit;
    bit = true;
    return is_new;
}

// Groups and their bits are in order, so that neighbours meet at the end of the list.
std::vector<Positions> PositionSet::ranges() const {
    std::vector<Positions> ranges;
    for (const auto& [number, bits] : groups_) {
        for (std::size_t i = 0; i < bits.size(); ++i) {
            const std::int64_t id =
                number * static_cast<std::int64_t>(k_group) + static_cast<std::int64_t>(i);
            if (bits[i] && !ranges.empty() && ranges.back().end == id) {
                ++ranges.back().end;
            } else if (bits[i]) {
                ranges.push_back({id, id + 1});
            }
        }
    }
    return ranges;
}

std::int64_t bytes_at(const VersionRow& version, const Positions& positions) {
    return offset_of(version, positions.end) - offset_of(version, positions.first);
}

// The last block of a version may be shorter than the others.
std::int64_t block_size_at(const VersionRow& version, std::int64_t id) {
    return id < 0 || id >= k_positions_max ? 0 : bytes_at(version, {id, id + 1});
}

// All blocks but the last have full size, and the last one has at least a byte.
bool has_regular_size(const VersionRow& version) {
    if (version.blocks <= 0 || version.block_bytes <= 0) {
        return version.blocks == 0 && version.bytes == 0;
    }
    return version.blocks <= k_positions_max && version.block_bytes < k_positions_max
           && version.bytes > (version.blocks - 1) * version.block_bytes
           && version.bytes <= version.blocks * version.block_bytes;
}

// Ranges are joined if one ends where the next one begins.
std::vector<ByteRange> ranges_of(const VersionRow& version, std::vector<Positions> lost) {
    std::ranges::sort(lost, {}, &Positions::first);
    std::vector<ByteRange> ranges;
    for (const Positions& positions : lost) {
        const ByteRange range = {offset_of(version, positions.first), bytes_at(version, positions)};
        if (!ranges.empty() && ranges.back().offset + ranges.back().bytes == range.offset) {
            ranges.back().bytes += range.bytes;
        } else {
            ranges.push_back(range);
        }
    }
    return ranges;
}

}  // namespace drydock::mover::blocks
