// Start here: the two layouts of a volume of Backend.AI's storage proxy. Then move_list.h (the list
// of folders and scopes), survey.h and tree.h (the list against the tree), move_journal.h, placer.h
// (one rename), volume.h, move.h (the whole move).
//
// Layout 2 keeps the folder of a user or project at ROOT/aa/bb/REST: the 32 hex digits of its id,
// cut after two and four. Layout 3 keeps it at ROOT/SCOPE/aa/bb/REST, where SCOPE has the 32 digits
// of the user's or project's id. ROOT/version.txt contains 3 then. Pure.
#pragma once

#include "base/result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::mover::rename {

inline constexpr std::size_t k_fan_digits = 2;
inline constexpr std::size_t k_rest_digits = 28;
inline constexpr std::size_t k_id_digits = 32;

using Id = std::array<std::uint8_t, 16>;  // of a folder, a user or a project

// One folder on its way to the directory of its scope. 32 bytes: a million of them are 32 MB.
struct Move {
    Id folder{};
    Id scope{};

    bool operator==(const Move&) const = default;
};

// Parses 32 hex digits, with or without the dashes of a UUID. Returns nothing for any other text.
[[nodiscard]] std::optional<Id> parse_id(std::string_view text);
[[nodiscard]] std::string hex_of(const Id& id);

// True if the name has exactly `digits` lower-case hex digits.
[[nodiscard]] bool is_hex_name(std::string_view name, std::size_t digits);

// "aa/bb/REST": the path of a folder below ROOT in layout 2, and below its scope in layout 3.
class FolderPath {
public:
    explicit FolderPath(const Id& folder);

    [[nodiscard]] const char* whole() const { return whole_.data(); }

    [[nodiscard]] const char* outer() const { return outer_.data(); }  // "aa"

    [[nodiscard]] const char* inner() const { return inner_.data(); }  // "aa/bb"

private:
    std::array<char, k_id_digits + 3> whole_{};
    std::array<char, k_fan_digits + 1> outer_{};
    std::array<char, 2 * k_fan_digits + 2> inner_{};
};

}  // namespace drydock::mover::rename
