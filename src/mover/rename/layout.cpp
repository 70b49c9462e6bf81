// Ids and paths of folders. FolderPath allocates nothing: a volume may have a million folders, and
// each rename needs three paths as C strings.
#include "mover/rename/layout.h"

#include "base/hash.h"

#include <algorithm>

namespace drydock::mover::rename {
namespace {

constexpr std::string_view k_digits = "0123456789abcdef";
constexpr std::size_t k_uuid_size = 36;

// Returns the value of a hex digit of either case; -1 for another character.
int value_of(char digit) {
    const char lower = digit >= 'A' && digit <= 'F' ? static_cast<char>(digit - 'A' + 'a') : digit;
    const std::size_t value = k_digits.find(lower);
    return value == std::string_view::npos ? -1 : static_cast<int>(value);
}

bool is_dash(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

}  // namespace

// Dashes count only at the four positions of a UUID, so no other text of 36 characters passes.
std::optional<Id> parse_id(std::string_view text) {
    const bool has_dashes = text.size() == k_uuid_size;
    if (!has_dashes && text.size() != k_id_digits) {
        return std::nullopt;
    }
    Id id{};
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (has_dashes && is_dash(i)) {
            if (text[i] != '-') {
                return std::nullopt;
            }
            continue;
        }
        const int value = value_of(text[i]);
        if (value < 0) {
            return std::nullopt;
        }
        id.at(digits / 2) = static_cast<std::uint8_t>(id.at(digits / 2) * 16 + value);
        ++digits;
    }
    return id;
}

std::string hex_of(const Id& id) {
    return to_hex(id);
}

bool is_hex_name(std::string_view name, std::size_t digits) {
    return name.size() == digits && std::all_of(name.begin(), name.end(), [](char digit) {
               return k_digits.find(digit) != std::string_view::npos;
           });
}

// Writes all of "aa/bb/REST" first; "aa" and "aa/bb" are its beginnings.
FolderPath::FolderPath(const Id& folder) {
    std::size_t position = 0;
    for (std::size_t i = 0; i < folder.size(); ++i) {
        whole_.at(position++) = k_digits[folder[i] >> 4U];
        whole_.at(position++) = k_digits[folder[i] & 15U];
        if (i < 2) {
            whole_.at(position++) = '/';
        }
    }
    std::copy_n(whole_.begin(), k_fan_digits, outer_.begin());
    std::copy_n(whole_.begin(), 2 * k_fan_digits + 1, inner_.begin());
}

}  // namespace drydock::mover::rename
