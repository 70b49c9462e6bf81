// Pure helpers over text: splitting, joining, durations, sizes, nearest words, base64.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, std::string_view separator);
[[nodiscard]] std::string trim(std::string_view text);

// Returns at most `bytes_max` bytes of the text, cut between characters, and then the size of all
// of it.
[[nodiscard]] std::string clip(std::string_view text, std::size_t bytes_max);

// Returns the candidate nearest to `word`, or "" if all of them are too far away for a typing
// error.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);

// Converts "10m", "2h", "30s", "150ms" and "1d" to milliseconds.
[[nodiscard]] Result<std::int64_t> parse_duration_ms(std::string_view text);
[[nodiscard]] std::string show_duration(std::int64_t duration_ms);  // "9:41", "2 h 5 min", "0.4 s"
[[nodiscard]] std::string show_bytes(std::int64_t bytes);           // "2.1 MB"
[[nodiscard]] std::string show_time(std::int64_t unix_ms);  // "2026-11-21 20:58:40" in local time

// Replaces each ${name} by the answer of `look_up`; "$$" is a literal "$". Returns the first error
// of `look_up`, or "interpolate.open" for a name without its `}`.
[[nodiscard]] Result<std::string>
interpolate(std::string_view text,
            const std::function<Result<std::string>(std::string_view name)>& look_up);

// True if the name is safe as a part of a path. It may have letters, digits and the characters of
// `extra`, at most 200 bytes, no dot in front and no "..".
[[nodiscard]] bool is_plain_name(std::string_view name, std::string_view extra);

[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

}  // namespace drydock
