// Keys as fractions over the printable characters.
//
// The first byte that differs decides: a character half-way between the two is a middle. Where the
// two bytes are neighbours, the middle lies behind the smaller key, one byte further.
#include "mover/s3/key_range.h"

#include <algorithm>

namespace drydock::mover::s3 {
namespace {

constexpr int k_first = 0x20;  // printable ASCII begins
constexpr int k_end = 0x7F;    // one behind it

// Returns the byte at the position, clamped to the alphabet; below it behind the end of the text.
int digit(std::string_view text, std::size_t position) {
    if (position >= text.size()) {
        return k_first - 1;
    }
    return std::clamp(
        static_cast<int>(static_cast<unsigned char>(text[position])), k_first - 1, k_end);
}

// True if the text does not end inside a character of UTF-8.
bool ends_whole(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
        const auto byte = static_cast<unsigned char>(text[i]);
        i += byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    }
    return i == text.size();
}

std::size_t common_size(std::string_view a, std::string_view b) {
    const std::size_t size = std::min(a.size(), b.size());
    return static_cast<std::size_t>(
        std::mismatch(a.begin(), a.begin() + static_cast<long>(size), b.begin()).first - a.begin());
}

}  // namespace

std::optional<std::string> middle_key(std::string_view after,
                                      const std::optional<std::string>& until) {
    std::size_t position = until ? common_size(after, *until) : 0;
    int upper = until ? digit(*until, position) : k_end;
    while (position <= after.size()) {
        const int lower = digit(after, position);
        const int middle = (lower + upper) / 2;
        if (middle > lower && middle < upper && middle >= k_first) {
            std::string key(after.substr(0, position));
            key += static_cast<char>(middle);
            const bool is_between = key > after && (!until || key < *until);
            return is_between && ends_whole(after.substr(0, position))
                       ? std::optional<std::string>(std::move(key))
                       : std::nullopt;
        }
        ++position;
        upper = k_end;
    }
    return std::nullopt;
}

std::optional<std::string>
cut_of(std::string_view first, std::string_view last, const std::optional<std::string>& until) {
    const std::string_view prefix = last.substr(0, common_size(first, last));
    if (!until || !until->starts_with(prefix)) {
        std::string behind = std::string(prefix) + "~";
        if (ends_whole(prefix) && behind > last && (!until || behind < *until)) {
            return behind;
        }
    }
    return middle_key(last, until);
}

}  // namespace drydock::mover::s3
