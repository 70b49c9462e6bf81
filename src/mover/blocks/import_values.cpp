// Checks the fields of an export against the columns that they are for. There is one table of
// columns for each kind of record, and each column has a predicate and words for people. The
// database itself would accept most wrong values, and backy2 would fail on them later.
#include "mover/blocks/import_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>

namespace drydock::mover::blocks {
namespace {

constexpr std::size_t k_shown_max = 40;
constexpr std::int64_t k_int32_max = 2'147'483'647;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_hex_digit(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// "0000-00-00" stands for digits at the places of its zeros.
bool has_form(std::string_view text, std::string_view form) {
    return std::ranges::equal(
        text, form, [](char c, char digit) { return digit == '0' ? is_digit(c) : c == digit; });
}

int number_at(std::string_view text, std::size_t place, std::size_t digits) {
    int number = 0;
    std::from_chars(text.data() + place, text.data() + place + digits, number);
    return number;
}

// The calendar decides, so that February 30 is no day.
bool is_day(std::string_view text) {
    if (!has_form(text, "0000-00-00")) {
        return false;
    }
    const std::chrono::year_month_day day(
        std::chrono::year(number_at(text, 0, 4)),
        std::chrono::month(static_cast<unsigned>(number_at(text, 5, 2))),
        std::chrono::day(static_cast<unsigned>(number_at(text, 8, 2))));
    return day.ok() && day.year() > std::chrono::year(0);
}

bool is_day_or_empty(std::string_view text) {
    return text.empty() || is_day(text);
}

// "2026-11-21 10:32:46", with up to six digits of a second.
bool is_time(std::string_view text) {
    constexpr std::size_t k_day = 10;
    constexpr std::size_t k_second = 19;
    const std::string_view fraction = text.substr(std::min(text.size(), k_second));
    return is_day(text.substr(0, k_day))
           && has_form(text.substr(k_day, k_second - k_day), " 00:00:00")
           && number_at(text, 11, 2) < 24 && number_at(text, 14, 2) < 60
           && number_at(text, 17, 2) < 60
           && (fraction.empty()
               || (fraction.size() > 1 && fraction.size() <= 7 && fraction[0] == '.'
                   && std::ranges::all_of(fraction.substr(1), is_digit)));
}

bool is_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && number >= 0;
}

bool is_small_number(std::string_view text) {
    std::int64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return is_number(text) && number <= k_int32_max;
}

bool is_flag(std::string_view text) {
    return text == "0" || text == "1";
}

// "\x" is the NULL of an older backy2.
template <std::size_t digits_max>
bool is_hex_or_empty(std::string_view text) {
    return text == "\\x"
           || (text.size() % 2 == 0 && text.size() <= digits_max
               && std::ranges::all_of(text, is_hex_digit));
}

bool is_version_uid(std::string_view text) {
    constexpr std::string_view k_form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    return std::ranges::equal(
        text, k_form, [](char c, char digit) { return digit == 'x' ? is_hex_digit(c) : c == '-'; });
}

// Well-formed bytes of UTF-8, as every database wants them. Texts of PostgreSQL have no zero byte.
bool is_text(std::string_view text) {
    std::size_t tail_bytes = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool follows = (byte & 0xC0U) == 0x80U;
        if (c == '\0' || follows != (tail_bytes > 0) || byte == 0xC0U || byte == 0xC1U
            || byte > 0xF4U) {
            return false;
        }
        tail_bytes = follows         ? tail_bytes - 1
                     : byte >= 0xF0U ? 3U
                     : byte >= 0xE0U ? 2U
                     : byte >= 0xC0U ? 1U
                                     : 0U;
    }
    return tail_bytes == 0;
}

struct Column {
    const char* name;
    bool (*is_right)(std::string_view);
    const char* expected;
};

using ColumnList = std::vector<Column>;

// Older exports have fewer columns, so that their number decides which columns these are.
ColumnList version_columns(std::size_t count) {
    ColumnList columns = {{"uid", is_version_uid, "the uid of a version"},
                          {"date", is_time, "a date with a time"},
                          {"name", is_text, "a text"}};
    if (count > 6) {
        columns.push_back({"snapshot_name", is_text, "a text"});
    }
    columns.insert(columns.end(),
                   {{"size", is_number, "a number"},
                    {"size_bytes", is_number, "a number"},
                    {"valid", is_flag, "0 or 1"}});
    if (count > 6) {
        columns.push_back({"protected", is_flag, "0 or 1"});
    }
    if (count > 8) {
        columns.push_back({"expire", is_day_or_empty, "a date"});
    }
    return columns;
}

const ColumnList& block_columns() {
    static const ColumnList columns = {
        {"uid", is_text, "a text"},  // its form is that of a blob's name
        {"version_uid", is_version_uid, "the uid of a version"},
        {"id", is_small_number, "a position"},
        {"date", is_time, "a date with a time"},
        {"checksum", is_hex_or_empty<128>, "a checksum in hex"},
        {"size", is_small_number, "a number of bytes"},
        {"valid", is_flag, "0 or 1"},
        {"enc_version", is_flag, "0 or 1"},
        {"enc_envkey", is_hex_or_empty<80>, "80 digits of hex"},
        {"enc_nonce", is_hex_or_empty<32>, "32 digits of hex"}};
    return columns;
}

Status
check_values(const std::vector<std::string>& fields, const ColumnList& columns, std::int64_t line) {
    for (std::size_t i = 0; i < fields.size() && i < columns.size(); ++i) {
        if (!columns[i].is_right(fields[i])) {
            return refuse_import(line,
                                 fmt::format("column {}: `{}` is not {}",
                                             columns[i].name,
                                             fields[i].substr(0, k_shown_max),
                                             columns[i].expected));
        }
    }
    return {};
}

}  // namespace

tl::unexpected<Error> refuse_import(std::int64_t line, const std::string& reason) {
    return fail("blocks.import",
                fmt::format("line {}: {}", line, reason),
                "name a file that `backy2 export` or `drydock store export` made; nothing was "
                "imported");
}

Status check_version_values(const std::vector<std::string>& fields, std::int64_t line) {
    return check_values(fields, version_columns(fields.size()), line);
}

// An encrypted block cannot be opened without its envelope and nonce, whose lengths are fixed.
Status check_block_values(const std::vector<std::string>& fields, std::int64_t line) {
    DRYDOCK_TRY(check_values(fields, block_columns(), line));
    const bool is_encrypted = fields.size() > 7 && fields[7] == "1";
    if (is_encrypted && (fields[8].size() != 80 || fields[9].size() != 32)) {
        return refuse_import(line, "column enc_envkey or enc_nonce: an encrypted block needs both");
    }
    return {};
}

}  // namespace drydock::mover::blocks
