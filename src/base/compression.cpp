// Compression by zstd. It stands apart from the digests, so that the agent need not link zstd.
#include "base/check.h"
#include "base/hash.h"

#include <zstd.h>

namespace drydock {

std::string compress(std::string_view bytes) {
    std::string result(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t size =
        ZSTD_compress(result.data(), result.size(), bytes.data(), bytes.size(), 3);
    CHECK(ZSTD_isError(size) == 0);
    result.resize(size);
    return result;
}

// The size in the frame's header comes from the input, so it is compared with `size_max` before
// memory is allocated. Without that check 20 hostile bytes could ask for terabytes.
Result<std::string> decompress(std::string_view bytes, std::size_t size_max) {
    const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > size_max) {
        return fail("zstd.frame", "compressed data is damaged or too large");
    }
    std::string result(size, '\0');
    const std::size_t result_size =
        ZSTD_decompress(result.data(), result.size(), bytes.data(), bytes.size());
    if (ZSTD_isError(result_size) != 0 || result_size != size) {
        return fail("zstd.frame", "compressed data is damaged");
    }
    return result;
}

}  // namespace drydock
