#include "chain/zip_headers.h"

#include "chain/limits.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace drydock::chain {

namespace {

// PKWARE's APPNOTE 6.3.10, sections 4.3.7 (header of a file), 4.3.12 (directory), 4.3.16 (its end).
constexpr std::string_view k_file = "PK\x03\x04";
constexpr std::string_view k_entry = "PK\x01\x02";
constexpr std::string_view k_end = "PK\x05\x06";
constexpr std::size_t k_file_bytes = 30;
constexpr std::size_t k_entry_bytes = 46;
constexpr std::size_t k_end_bytes = 22;
constexpr std::size_t k_comment_max = 65535;

std::size_t number(std::string_view bytes, std::size_t offset, std::size_t size) {
    std::size_t value = 0;
    for (std::size_t i = size; i > 0; --i) {
        value = value << 8U | static_cast<std::uint8_t>(bytes[offset + i - 1]);
    }
    return value;
}

// Nothing if the header does not lie within the bytes.
std::optional<std::string_view>
header(std::string_view bytes, std::size_t offset, std::string_view kind, std::size_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size
        || !bytes.substr(offset).starts_with(kind)) {
        return std::nullopt;
    }
    return bytes.substr(offset);
}

std::optional<std::size_t> find_end(std::string_view bytes) {
    const std::size_t search_begin =
        bytes.size() > k_end_bytes + k_comment_max ? bytes.size() - k_end_bytes - k_comment_max : 0;
    const std::size_t position = bytes.rfind(k_end);
    return position == bytes.npos || position < search_begin
                   || bytes.size() - position < k_end_bytes
               ? std::nullopt
               : std::optional(position);
}

std::string_view name_of(std::string_view head, std::size_t length_at, std::size_t fixed) {
    return head.substr(fixed, number(head, length_at, 2));
}

Status check_entry(std::string_view bytes, std::string_view entry, std::size_t shift) {
    const std::string_view name = name_of(entry, 28, k_entry_bytes);
    const auto file = header(bytes, number(entry, 42, 4) + shift, k_file, k_file_bytes);
    if (!file) {
        return damaged_archive(fmt::format("{} is not where its directory says", name));
    }
    const std::string_view header_name = name_of(*file, 26, k_file_bytes);
    return header_name == name
               ? Status()
               : damaged_archive(fmt::format(
                     "its directory names a file {}, the file itself {}", name, header_name));
}

}  // namespace

Status check_zip_headers(std::string_view bytes) {
    const auto end = find_end(bytes);
    if (!end) {
        return damaged_archive("it has no directory");
    }
    const std::size_t size = number(bytes, *end + 12, 4);
    const std::size_t offset = number(bytes, *end + 16, 4);
    if (offset == 0xFFFFFFFF || size > *end || offset > *end - size) {
        return {};  // zip64: libzip alone judges it
    }
    std::size_t position = *end - size;
    const std::size_t shift = position - offset;  // bytes that somebody put before the archive
    while (const auto entry = header(bytes, position, k_entry, k_entry_bytes)) {
        DRYDOCK_TRY(check_entry(bytes, *entry, shift));
        position +=
            k_entry_bytes + number(*entry, 28, 2) + number(*entry, 30, 2) + number(*entry, 32, 2);
    }
    return {};
}

}  // namespace drydock::chain
