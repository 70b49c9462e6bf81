// Parses and compares versions.
//
// Versions come from systems that number differently, and a wrong order could send a cluster the
// wrong way. So there is one rule for all: numbers first, then the rank of the suffix, then the
// suffix as text, then the letters before the numbers. A text that is no version is an error for a
// pack, but only sorts low for an observed value.
#include "model/version.h"

#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::model {

namespace {

constexpr std::size_t k_components = 4;  // most versions have no more

// Returns the rank of a suffix: "-rc1" sorts before none, "+local" after it.
int suffix_rank(const std::string& suffix) {
    if (suffix.empty()) {
        return 1;
    }
    return suffix.front() == '+' ? 2 : 0;
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Cuts off the letters before the first number, and the dot behind them. Letters without a number
// are no version.
std::string_view take_letters(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_letter);
    auto count = static_cast<std::size_t>(end - text.begin());
    count += count > 0 && end != text.end() && *end == '.' ? 1U : 0U;
    if (count == text.size() || !is_digit(text[count])) {
        return {};
    }
    const std::string_view letters = text.substr(0, count);
    text.remove_prefix(count);
    return letters;
}

// True if the text has the form: "0" is a digit, all else is itself.
bool has_form(std::string_view text, std::string_view form) {
    return text.size() == form.size()
           && std::equal(text.begin(), text.end(), form.begin(), [](char c, char pattern) {
                  return pattern == '0' ? is_digit(c) : c == pattern;
              });
}

// Returns a date as dotted numbers: "2020.08.18.19.41.00". Any other text stays as it is.
std::string with_dots(std::string_view text) {
    constexpr std::string_view k_day = "0000-00-00";
    constexpr std::string_view k_moment = "0000-00-00T00-00-00Z";
    std::string result(text);
    if (has_form(text, k_day) || has_form(text, k_moment)) {
        std::replace_if(result.begin(), result.end(), [](char c) { return !is_digit(c); }, '.');
    }
    if (has_form(text, k_moment)) {
        result.pop_back();
    }
    return result;
}

// Parses dotted numbers. Returns false if a part is no number.
bool parse_numbers(std::string_view text, std::vector<std::uint64_t>& numbers) {
    numbers.reserve(k_components);
    for (bool has_more = true; has_more;) {
        const auto dot = text.find('.');
        const std::string_view part = text.substr(0, dot);
        has_more = dot != text.npos;
        text.remove_prefix(has_more ? dot + 1 : 0);
        std::uint64_t number = 0;
        const auto end = std::from_chars(part.data(), part.data() + part.size(), number);
        if (part.empty() || end.ec != std::errc() || end.ptr != part.data() + part.size()) {
            return false;
        }
        numbers.push_back(number);
    }
    return true;
}

}  // namespace

// Parses the letters, and the dotted numbers up to the suffix, which begins with "-", "+" or "~".
Result<Version> Version::parse(std::string_view text) {
    Version version;
    std::string_view rest = text;
    version.letters_ = take_letters(rest);
    const std::string dotted = with_dots(rest);
    const auto cut = dotted.find_first_of("-+~");
    version.suffix_ = cut == dotted.npos ? "" : dotted.substr(cut);
    if (!parse_numbers(std::string_view(dotted).substr(0, cut), version.numbers_)) {
        return fail("version.syntax",
                    fmt::format("`{}` is no version", text),
                    "write dotted numbers, as in 3.5.16");
    }
    return version;
}

// A missing component counts as 0, so that "3.5" and "3.5.0" are equal.
int Version::compare(const Version& right) const {
    const std::size_t count = std::max(numbers_.size(), right.numbers_.size());
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint64_t a = i < numbers_.size() ? numbers_[i] : 0;
        const std::uint64_t b = i < right.numbers_.size() ? right.numbers_[i] : 0;
        if (a != b) {
            return a < b ? -1 : 1;
        }
    }
    const int left_rank = suffix_rank(suffix_);
    const int right_rank = suffix_rank(right.suffix_);
    if (left_rank != right_rank) {
        return left_rank - right_rank;
    }
    const int order = suffix_.compare(right.suffix_);
    return order != 0 ? order : letters_.compare(right.letters_);
}

// Compares components, not text: "3.50" is not in "3.5".
bool Version::in_series(const Version& prefix) const {
    // A whole version, or one with a suffix, is no series: it contains only itself.
    const bool whole = prefix.numbers_.size() == numbers_.size();
    const bool same_suffix = whole ? prefix.suffix_ == suffix_ : prefix.suffix_.empty();
    return prefix.letters_ == letters_ && prefix.numbers_.size() <= numbers_.size() && same_suffix
           && std::equal(prefix.numbers_.begin(), prefix.numbers_.end(), numbers_.begin());
}

// A text that does not parse sorts before a version. Two such texts are compared as text.
int compare_versions(std::string_view a, std::string_view b) {
    const auto first = Version::parse(a);
    const auto second = Version::parse(b);
    if (first && second) {
        return first->compare(*second);
    }
    if (first.has_value() != second.has_value()) {
        return first ? 1 : -1;
    }
    return a.compare(b);
}

bool version_in_series(std::string_view version, std::string_view prefix) {
    const auto first = Version::parse(version);
    const auto second = Version::parse(prefix);
    return first && second && first->in_series(*second);
}

// Splits the range at blanks; each part is a relation and a version, and no relation means "=".
Result<VersionRange> VersionRange::parse(std::string_view text) {
    VersionRange range;
    for (const std::string& part : split(text, ' ')) {
        if (part.empty()) {
            continue;
        }
        const auto digits = part.find_first_not_of("<>=");
        const std::string relation = digits == 0 ? "=" : part.substr(0, digits);
        const bool is_known = relation == "=" || relation == "<" || relation == "<="
                              || relation == ">" || relation == ">=";
        const std::string version = digits == part.npos ? "" : part.substr(digits);
        if (!is_known || !Version::parse(version)) {
            return fail("range.syntax",
                        fmt::format("`{}` is no version bound", part),
                        "write bounds as in \">=3.5.0 <3.6\"");
        }
        range.bounds_.push_back({relation, version});
    }
    return range;
}

// All bounds must hold; a range without bounds contains every version.
bool VersionRange::contains(std::string_view version) const {
    return std::all_of(bounds_.begin(), bounds_.end(), [&](const Bound& bound) {
        const int order = compare_versions(version, bound.version);
        if (bound.relation == "=") {
            return order == 0;
        }
        const bool is_upper_bound = bound.relation.front() == '<';
        const bool or_equal = bound.relation.size() == 2;
        return (or_equal && order == 0) || (is_upper_bound ? order < 0 : order > 0);
    });
}

bool version_in_range(std::string_view range, std::string_view version) {
    const auto parsed = VersionRange::parse(range);
    return parsed && parsed->contains(version);
}

}  // namespace drydock::model
