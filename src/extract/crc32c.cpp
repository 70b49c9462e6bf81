// CRC-32C by tables, eight bytes a step, or by the instruction of x86-64.
//
// Table n has the checksum of one byte followed by n zero bytes. So eight look-ups take the place
// of eight dependent steps.
#include "extract/crc32c.h"

#include <array>
#include <cstring>

namespace drydock::extract {

namespace {

constexpr std::uint32_t k_polynomial = 0x82f63b78U;  // Castagnoli, bits reversed
constexpr std::size_t k_step_bytes = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, k_step_bytes>;

constexpr std::uint32_t crc_of_byte(std::uint32_t byte) {
    for (int bit = 0; bit < 8; ++bit) {
        byte = (byte >> 1) ^ ((byte & 1U) != 0 ? k_polynomial : 0);
    }
    return byte;
}

constexpr Tables make_tables() {
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        tables[0][byte] = crc_of_byte(byte);
    }
    for (std::size_t n = 1; n < k_step_bytes; ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t shorter = tables[n - 1][byte];
            tables[n][byte] = (shorter >> 8) ^ tables[0][shorter & 0xffU];
        }
    }
    return tables;
}

constexpr Tables k_tables = make_tables();

std::uint64_t load_little_endian(const char* bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < k_step_bytes; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
}

std::uint32_t add_byte(std::uint32_t crc, char byte) {
    return (crc >> 8) ^ k_tables[0][(crc ^ static_cast<unsigned char>(byte)) & 0xffU];
}

#if defined(__x86_64__)

[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::string_view bytes) {
    std::uint64_t crc = 0xffffffffU;
    while (bytes.size() >= k_step_bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), k_step_bytes);
        crc = __builtin_ia32_crc32di(crc, word);
        bytes.remove_prefix(k_step_bytes);
    }
    auto small = static_cast<std::uint32_t>(crc);
    for (const char byte : bytes) {
        small = __builtin_ia32_crc32qi(small, static_cast<unsigned char>(byte));
    }
    return ~small;
}

#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::string_view bytes) {
    std::uint32_t crc = 0xffffffffU;
    while (bytes.size() >= k_step_bytes) {
        const std::uint64_t word = load_little_endian(bytes.data()) ^ crc;
        crc = 0;
        for (std::size_t i = 0; i < k_step_bytes; ++i) {
            crc ^= k_tables[k_step_bytes - 1 - i][(word >> (8 * i)) & 0xffU];
        }
        bytes.remove_prefix(k_step_bytes);
    }
    for (const char byte : bytes) {
        crc = add_byte(crc, byte);
    }
    return ~crc;
}

std::uint32_t crc32c(std::string_view bytes) {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) {
        return crc32c_by_instruction(bytes);
    }
#endif
    return crc32c_by_tables(bytes);
}

}  // namespace drydock::extract
