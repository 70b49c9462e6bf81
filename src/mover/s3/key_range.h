// Ranges of keys, and where to cut them. Pure.
//
// A listing can begin behind any string (start-after), so a bucket is listed by several requests at
// once: the range of keys is cut, and each half is listed by itself.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace drydock::mover::s3 {

// All keys behind `after`, up to and with `until`.
struct KeyRange {
    std::string after;
    std::optional<std::string> until;  // nothing: to the end

    [[nodiscard]] bool contains(std::string_view key) const {
        return key > after && (!until || key <= *until);
    }

    bool operator==(const KeyRange&) const = default;
};

// Returns a key between the two that cuts their range about in half: behind `after`, before
// `until`, of printable ASCII and valid UTF-8. Returns nothing if there is no such key.
[[nodiscard]] std::optional<std::string> middle_key(std::string_view after,
                                                    const std::optional<std::string>& until);

// Returns where to cut a range whose keys from `first` to `last` are known. Keys of one folder
// share a prefix, so the first cut is behind all keys with that prefix.
[[nodiscard]] std::optional<std::string>
cut_of(std::string_view first, std::string_view last, const std::optional<std::string>& until);

}  // namespace drydock::mover::s3
