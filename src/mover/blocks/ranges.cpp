// Arithmetic between positions and bytes. All blocks of a version have one size but the last, which
// may be shorter. Figures come from rows of a database, so has_regular_size() avoids products that
// could overflow.
#include "mover/blocks/ranges.h"

#include <algorithm>

namespace drydock::mover::blocks {

std::int64_t block_size_at(const VersionRow& version, std::int64_t id) {
    return std::clamp<std::int64_t>(
        version.bytes - id * version.block_bytes, 0, version.block_bytes);
}

bool has_regular_size(const VersionRow& version) {
    if (version.blocks <= 0 || version.block_bytes <= 0) {
        return version.blocks == 0 && version.bytes == 0;
    }
    const std::int64_t last = version.blocks - 1;
    return last < version.bytes / version.block_bytes + 1 && block_size_at(version, last) > 0
           && version.bytes - last * version.block_bytes <= version.block_bytes;
}

std::vector<ByteRange> ranges_of(const VersionRow& version, const std::vector<bool>& lost) {
    std::vector<ByteRange> ranges;
    for (std::size_t id = 0; id < lost.size(); ++id) {
        if (!lost[id]) {
            continue;
        }
        const auto place = static_cast<std::int64_t>(id);
        const std::int64_t bytes = block_size_at(version, place);
        if (id > 0 && lost[id - 1]) {
            ranges.back().bytes += bytes;
        } else {
            ranges.push_back({place * version.block_bytes, bytes});
        }
    }
    return ranges;
}

}  // namespace drydock::mover::blocks
