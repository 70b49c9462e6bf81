// Sizes that tools use, in the order of how common they are, and the arithmetic of ETags.
#include "mover/s3/part_sizes.h"

#include "base/hash.h"
#include "mover/s3/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::mover::s3 {
namespace {

constexpr std::int64_t k_mib = 1LL << 20U;

// aws-cli and boto 8, s3cmd 15, rclone and minio 5 and 16, Hadoop and Java 64 and 128.
constexpr std::int64_t k_usual_mib[] = {
    8, 5, 16, 15, 10, 64, 32, 128, 100, 50, 25, 20, 256, 512, 1024};
constexpr std::int64_t k_plain_part = 512 * k_mib;

bool fits(std::int64_t bytes, std::int64_t parts, std::int64_t size) {
    return size > 0 && size <= k_copy_bytes_max && (bytes + size - 1) / size == parts;
}

// Returns the 16 bytes of a digest in hex; empty if it is none.
std::string digest_bytes(std::string_view hex) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
        unsigned value = 0;
        const auto* begin = hex.data() + i;
        const auto [end, error] = std::from_chars(begin, begin + 2, value, 16);
        if (error != std::errc() || end != begin + 2) {
            return {};
        }
        bytes += static_cast<char>(value);
    }
    return hex.size() == 32 ? bytes : std::string();
}

}  // namespace

bool is_md5(std::string_view etag) {
    return !digest_bytes(etag).empty();
}

std::int64_t parts_of_etag(std::string_view etag) {
    const auto dash = etag.find('-');
    std::int64_t parts = 0;
    if (dash == etag.npos) {
        return 0;
    }
    const auto [end, error] =
        std::from_chars(etag.data() + dash + 1, etag.data() + etag.size(), parts);
    const bool is_number = error == std::errc() && end == etag.data() + etag.size();
    return is_number && parts >= 1 && parts <= k_parts_max ? parts : 0;
}

std::optional<std::int64_t>
part_size_of(std::int64_t bytes, std::int64_t parts, std::int64_t first_part) {
    if (first_part > 0) {
        return fits(bytes, parts, first_part) ? std::optional(first_part) : std::nullopt;
    }
    if (parts == 1 && bytes <= k_copy_bytes_max) {
        return bytes;
    }
    for (const std::int64_t mib : k_usual_mib) {
        if (fits(bytes, parts, mib * k_mib)) {
            return mib * k_mib;
        }
    }
    const std::int64_t even = (bytes / parts / k_mib + 1) * k_mib;
    return fits(bytes, parts, even) ? std::optional(even) : std::nullopt;
}

std::int64_t plain_part_size(std::int64_t bytes) {
    return std::max(k_plain_part, (bytes + k_parts_max - 1) / k_parts_max);
}

std::string etag_of_parts(const std::vector<std::string>& part_etags) {
    std::string digests;
    for (const std::string& etag : part_etags) {
        const std::string bytes = digest_bytes(etag);
        if (bytes.empty()) {
            return {};
        }
        digests += bytes;
    }
    const std::string digest = md5(digests);
    return fmt::format(
        "{}-{}",
        to_hex({reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size()}),
        part_etags.size());
}

}  // namespace drydock::mover::s3
