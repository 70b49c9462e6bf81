// Helpers over text: all pure but show_time(), which reads the time zone.
//
// Texts of durations, sizes and times are for people: they round, and no code reads them back.
// parse_duration_ms() reads the texts that people write into packs.
#include "base/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <numeric>

namespace drydock {

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = text.find(separator); end != text.npos;
         end = text.find(separator, begin)) {
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.emplace_back(text.substr(begin));
    return parts;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
    return fmt::format("{}", fmt::join(parts, separator));
}

bool is_plain_name(std::string_view name, std::string_view extra) {
    constexpr std::size_t k_name_bytes_max =
        200;  // file systems take 255; the rest is for a suffix
    const auto is_allowed = [extra](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')
               || extra.find(c) != extra.npos;
    };
    return !name.empty() && name.size() <= k_name_bytes_max && name.front() != '.'
           && std::all_of(name.begin(), name.end(), is_allowed) && name.find("..") == name.npos;
}

// Steps back over continuation bytes of UTF-8, so that no character is cut in two.
std::string clip(std::string_view text, std::size_t bytes_max) {
    if (text.size() <= bytes_max) {
        return std::string(text);
    }
    constexpr unsigned k_continues = 0x80;  // of UTF-8: 10xxxxxx
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == k_continues) {
        --end;
    }
    return fmt::format("{}... ({} bytes)", text.substr(0, end), text.size());
}

std::string trim(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) {
        return {};
    }
    return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

namespace {

// Returns the number of edits from `a` to `b`: a letter added, removed or replaced, or two
// neighbours swapped. The dynamic programme keeps three rows: the present one, `above`, and the row
// above that, which a swap needs.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> above_previous(b.size() + 1);
    std::vector<std::size_t> above(b.size() + 1);
    std::iota(above.begin(), above.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::vector<std::size_t> row(b.size() + 1, i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = std::min(row[j], above_previous[j - 2] + 1);
            }
        }
        above_previous = std::exchange(above, std::move(row));
    }
    return above[b.size()];
}

constexpr std::string_view k_base64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

// A third of the letters may differ, and one letter in any case: beyond that a suggestion misleads.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
    std::string best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        if (const std::size_t d = distance(word, candidate); d < best_distance) {
            best_distance = d;
            best = candidate;
        }
    }
    return best;
}

// The limit of the number keeps the product below the range of 64 bits.
Result<std::int64_t> parse_duration_ms(std::string_view text) {
    std::int64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit = text.substr(static_cast<std::size_t>(end.ptr - text.data()));
    const std::vector<std::pair<std::string_view, std::int64_t>> units = {
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    for (const auto& [name, factor] : units) {
        if (end.ec == std::errc() && unit == name && number >= 0 && number <= 1'000'000'000) {
            return number * factor;
        }
    }
    return fail("duration.syntax",
                fmt::format("`{}` is no duration", text),
                "write a whole number and a unit: 150ms, 30s, 10m, 2h, 1d");
}

std::string show_duration(std::int64_t duration_ms) {
    const std::int64_t seconds = duration_ms / 1000;
    if (duration_ms < 10'000) {
        return fmt::format("{:.1f} s", static_cast<double>(duration_ms) / 1000.0);
    }
    if (seconds < 60) {
        return fmt::format("{} s", seconds);
    }
    if (seconds < 3600) {
        return fmt::format("{}:{:02} min", seconds / 60, seconds % 60);
    }
    const std::int64_t hours = seconds / 3600;
    return hours < 48 ? fmt::format("{} h {} min", hours, seconds / 60 % 60)
                      : fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string show_bytes(std::int64_t bytes) {
    auto value = static_cast<double>(bytes);
    const std::vector<const char*> units = {"B", "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    while (value >= 1000 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string show_time(std::int64_t unix_ms) {
    const std::time_t seconds = unix_ms / 1000;
    std::tm local{};
    localtime_r(&seconds, &local);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}", local);
}

Result<std::string>
interpolate(std::string_view text,
            const std::function<Result<std::string>(std::string_view)>& look_up) {
    std::string result;
    for (std::size_t position = 0; position < text.size();) {
        const bool dollar = text[position] == '$' && position + 1 < text.size();
        if (dollar && text[position + 1] == '$') {
            result += '$';
            position += 2;
        } else if (dollar && text[position + 1] == '{') {
            const auto end = text.find('}', position);
            if (end == text.npos) {
                return fail("interpolate.open",
                            fmt::format("`${{` is not closed in `{}`", text),
                            "add the `}`");
            }
            DRYDOCK_TRY_ASSIGN(const std::string value,
                               look_up(text.substr(position + 2, end - position - 2)));
            result += value;
            position = end + 1;
        } else {
            result += text[position++];
        }
    }
    return result;
}

// Takes three bytes at a time as four digits of 6 bits. The last group is filled with zeros, and
// `=` stands for each digit that has no bit of the input.
std::string base64_encode(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j) {
            group = group << 8U | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text += j <= count ? k_base64[group >> (18 - 6 * j) & 63U] : '=';
        }
    }
    return text;
}

// Accepts texts with and without the final `=`: programs differ there. Bits of an incomplete last
// byte are dropped.
Result<std::string> base64_decode(std::string_view text) {
    std::string bytes;
    std::uint32_t group = 0;
    unsigned bits = 0;
    while (!text.empty() && text.back() == '=') {
        text.remove_suffix(1);
    }
    for (const char c : text) {
        const auto digit = k_base64.find(c);
        if (digit == k_base64.npos) {
            return fail("base64.syntax", "a character that base64 does not have");
        }
        group = group << 6U | static_cast<std::uint32_t>(digit);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 255U);
        }
    }
    return bytes;
}

}  // namespace drydock
