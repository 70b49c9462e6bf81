// CRC-32C (Castagnoli), the checksum of snappy's framing format. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace drydock::extract {

// Returns the CRC-32C of the bytes. It uses the processor's instruction if there is one.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

// Returns the same by tables alone, for processors without the instruction.
[[nodiscard]] std::uint32_t crc32c_by_tables(std::string_view bytes);

// Returns the form that the framing format stores: rotated by 15 bits, plus a constant.
[[nodiscard]] constexpr std::uint32_t masked_crc(std::uint32_t crc) {
    return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

}  // namespace drydock::extract
