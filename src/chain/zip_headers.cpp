// Compares each file's two names: in the central directory and in the file's own header.
//
// The directory is found from its end record, which is searched backwards, because a comment may
// follow it. An archive may have bytes before it (a self-extracting one): all offsets are then
// shifted by the same number. Layouts with zip64 are left to libzip. The numbers in the code are
// offsets in the records.
#include "chain/zip_headers.h"

#include "chain/limits.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace drydock::chain {

namespace {

// Records of PKWARE's APPNOTE 6.3.10: file header (4.3.7), directory entry (4.3.12), end (4.3.16).
constexpr std::string_view k_file = "PK\x03\x04";
constexpr std::string_view k_entry = "PK\x01\x02";
constexpr std::string_view k_end = "PK\x05\x06";
constexpr std::size_t k_file_bytes = 30;
constexpr std::size_t k_entry_bytes = 46;
constexpr std::size_t k_end_bytes = 22;
constexpr std::size_t k_comment_max = 65535;

// Little-endian, as all numbers of a zip.
std::size_t number(std::string_view bytes, std::size_t offset, std::size_t size) {
    std::size_t value = 0;
    for (std::size_t i = size; i > 0; --i) {
        value = value << 8U | static_cast<std::uint8_t>(bytes[offset + i - 1]);
    }
    return value;
}

// Returns the bytes from the header on; nullopt if it does not lie within them or has another mark.
std::optional<std::string_view>
header(std::string_view bytes, std::size_t offset, std::string_view kind, std::size_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size
        || !bytes.substr(offset).starts_with(kind)) {
        return std::nullopt;
    }
    return bytes.substr(offset);
}

// The end record has 22 bytes and a comment of at most 65535.
std::optional<std::size_t> find_end(std::string_view bytes) {
    const std::size_t search_begin =
        bytes.size() > k_end_bytes + k_comment_max ? bytes.size() - k_end_bytes - k_comment_max : 0;
    const std::size_t position = bytes.rfind(k_end);
    return position == bytes.npos || position < search_begin
                   || bytes.size() - position < k_end_bytes
               ? std::nullopt
               : std::optional(position);
}

// The name follows the fixed part of both records; its length stands at `length_at`.
std::string_view name_of(std::string_view head, std::size_t length_at, std::size_t fixed_size) {
    return head.substr(fixed_size, number(head, length_at, 2));
}

// Offset 42 of an entry is the place of the file's header.
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

// Walks the directory entry by entry; it ends at the first bytes that are no entry.
Status check_zip_headers(std::string_view bytes) {
    const auto end = find_end(bytes);
    if (!end) {
        return damaged_archive("it has no directory");
    }
    const std::size_t size = number(bytes, *end + 12, 4);
    const std::size_t offset = number(bytes, *end + 16, 4);
    // Impossible values belong to zip64 or to a damaged file.
    if (offset == 0xFFFFFFFF || size > *end || offset > *end - size) {
        return {};  // zip64: libzip alone judges it
    }
    std::size_t position = *end - size;
    const std::size_t shift = position - offset;  // bytes before the archive
    while (const auto entry = header(bytes, position, k_entry, k_entry_bytes)) {
        DRYDOCK_TRY(check_entry(bytes, *entry, shift));
        position +=
            k_entry_bytes + number(*entry, 28, 2) + number(*entry, 30, 2) + number(*entry, 32, 2);
    }
    return {};
}

}  // namespace drydock::chain
