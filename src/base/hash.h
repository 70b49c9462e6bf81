// Digests and compression: SHA-256 where tampering must show, XXH3 where only equality matters,
// zstd for the records of the journal.
#pragma once

#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace drydock {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(std::string_view bytes);
[[nodiscard]] Digest
sha256(std::initializer_list<std::string_view> parts);  // of their concatenation
[[nodiscard]] std::string sha256_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);
[[nodiscard]] std::uint64_t xxh3(std::span<const std::uint8_t> bytes);

[[nodiscard]] std::string compress(std::string_view bytes);
// Error: "zstd.frame" for damaged input and for results over `size_max` bytes.
[[nodiscard]] Result<std::string> decompress(std::string_view bytes, std::size_t size_max);

}  // namespace drydock
