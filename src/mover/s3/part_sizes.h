// The sizes of the parts of a multipart object, from its ETag and its length. Pure.
//
// An ETag "DIGEST-N" is made of the digests of N parts, so a copy has the same ETag only if its
// parts have the same sizes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::mover::s3 {

inline constexpr std::int64_t k_copy_bytes_max = 5LL << 30U;  // of CopyObject and of one part
inline constexpr std::int64_t k_parts_max = 10'000;

// Returns true for the hex of an MD5. Any other ETag tells nothing of the bytes by itself.
[[nodiscard]] bool is_md5(std::string_view etag);

// Returns N of "DIGEST-N"; 0 for the ETag of an object that was put whole.
[[nodiscard]] std::int64_t parts_of_etag(std::string_view etag);

// Returns the size of all parts but the last one. `first_part` is what the server tells of part 1,
// or 0. Else the usual sizes of tools are tried. Returns nothing if none fits.
[[nodiscard]] std::optional<std::int64_t>
part_size_of(std::int64_t bytes, std::int64_t parts, std::int64_t first_part);

// Returns a size for an object whose ETag cannot be made again anyway.
[[nodiscard]] std::int64_t plain_part_size(std::int64_t bytes);

// Returns "DIGEST-N" for the ETags of N parts; empty if one of them is no MD5.
[[nodiscard]] std::string etag_of_parts(const std::vector<std::string>& part_etags);

}  // namespace drydock::mover::s3
