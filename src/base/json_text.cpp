// Json as text: reading (by nlohmann's reader) and writing.
#include "base/check.h"
#include "base/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace drydock {

namespace {

// Builds a Json from nlohmann's events. Its DOM would keep the last of two equal keys silently; we
// refuse them.
class Builder {
public:
    using number_integer_t = std::int64_t;
    using number_unsigned_t = std::uint64_t;
    using number_float_t = double;
    using string_t = std::string;
    using binary_t = std::vector<std::uint8_t>;

    bool null() { return put(Json()); }

    bool boolean(bool value) { return put(Json(value)); }

    bool number_integer(number_integer_t value) { return put(Json(value)); }

    bool number_unsigned(number_unsigned_t value) { return put(Json(value)); }

    bool number_float(number_float_t value, const string_t& /*text*/) { return put(Json(value)); }

    bool string(string_t& value) { return put(Json(std::move(value))); }

    bool binary(binary_t& /*value*/) { return refuse("binary values are not JSON"); }

    bool start_object(std::size_t /*size*/) { return open(Json(Json::Object{})); }

    bool key(string_t& value) {
        if (stack_.back().contains(value)) {
            return refuse(fmt::format("the key \"{}\" stands twice in one object", value));
        }
        keys_.back() = std::move(value);
        return true;
    }

    bool end_object() { return close(); }

    bool start_array(std::size_t /*size*/) { return open(Json(Json::Array{})); }

    bool end_array() { return close(); }

    bool parse_error(std::size_t position,
                     const std::string& /*token*/,
                     const nlohmann::json::exception& error) {
        const std::string_view what = error.what();
        const auto cut = what.find("] ");
        return refuse(
            fmt::format("byte {}: {}", position, cut == what.npos ? what : what.substr(cut + 2)));
    }

    [[nodiscard]] const std::string& problem() const { return problem_; }

    Json take() { return std::move(root_); }

private:
    bool refuse(std::string why) {
        problem_ = std::move(why);
        return false;
    }

    bool open(Json container) {
        if (stack_.size() >= static_cast<std::size_t>(k_json_depth_max)) {
            return refuse(fmt::format("nested deeper than {}", k_json_depth_max));
        }
        stack_.push_back(std::move(container));
        keys_.emplace_back();
        return true;
    }

    bool close() {
        Json done = std::move(stack_.back());
        stack_.pop_back();
        keys_.pop_back();
        return put(std::move(done));
    }

    bool put(Json value) {
        if (stack_.empty()) {
            root_ = std::move(value);
        } else if (stack_.back().is_array()) {
            stack_.back().push(std::move(value));
        } else {
            stack_.back().set(keys_.back(), std::move(value));
        }
        return true;
    }

    Json root_;
    std::vector<Json> stack_;
    std::vector<std::string> keys_;
    std::string problem_;
};

constexpr std::string_view k_hex = "0123456789abcdef";

void write_escape(char c, std::string& out) {
    constexpr std::string_view k_short = "\"\\\b\f\n\r\t";
    constexpr std::string_view k_letters = "\"\\bfnrt";
    if (const auto at = k_short.find(c); at != k_short.npos) {
        out.append({'\\', k_letters[at]});
        return;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append("\\u00").append({k_hex[byte >> 4U], k_hex[byte & 0xFU]});
}

// What needs no escape is copied in one piece.
void write_string(const std::string& text, std::string& out) {
    out += '"';
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20) {
            out.append(text, copied, i - copied);
            write_escape(c, out);
            copied = i + 1;
        }
    }
    out.append(text, copied);
    out += '"';
}

template <class Integer>
void write_integer(Integer value, std::string& out) {
    std::array<char, 24> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
    out.append(buffer.data(), end.ptr);
}

// RFC 8785 section 3.2.2.3: as ECMAScript prints numbers.
void write_double(double value, std::string& out) {
    CHECK(std::isfinite(value));
    if (value == std::floor(value) && std::fabs(value) < 1e15) {
        write_integer(static_cast<std::int64_t>(value), out);
        return;
    }
    std::array<char, 40> buffer{};
    const bool plain = std::fabs(value) >= 1e-6 && std::fabs(value) < 1e21;
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format);
    out.append(buffer.data(), end.ptr);
}

void newline(int indent, std::string& out) {
    if (indent >= 0) {
        out += '\n';
        out.append(static_cast<std::size_t>(indent), ' ');
    }
}

void write(const Json& value, int indent, std::string& out);

// The members of an array or object between their brackets; `indent` < 0 writes one line.
template <class Range, class WriteOne>
void write_block(const Range& range,
                 std::string_view brackets,
                 int indent,
                 std::string& out,
                 WriteOne write_one) {
    out += brackets.front();
    const int inner = indent < 0 ? indent : indent + 2;
    bool first = true;
    for (const auto& entry : range) {
        out += first ? "" : ",";
        first = false;
        newline(inner, out);
        write_one(entry, inner);
    }
    if (!first) {
        newline(indent, out);
    }
    out += brackets.back();
}

void write(const Json& value, int indent, std::string& out) {
    if (value.is_object()) {
        write_block(value.members(), "{}", indent, out, [&](const auto& member, int inner) {
            write_string(member.first, out);
            out += inner < 0 ? ":" : ": ";
            write(member.second, inner, out);
        });
    } else if (value.is_array()) {
        write_block(value.items(), "[]", indent, out, [&](const Json& item, int inner) {
            write(item, inner, out);
        });
    } else if (value.is_string()) {
        write_string(value.as_string(), out);
    } else if (value.is_bool()) {
        out += value.as_bool() ? "true" : "false";
    } else if (const auto number = value.as_uint(); number) {
        write_integer(*number, out);
    } else if (value.is_integer()) {
        write_integer(value.as_int(), out);
    } else if (value.is_number()) {
        write_double(value.as_double(), out);
    } else {
        out += "null";
    }
}

}  // namespace

std::string Json::dump() const {
    std::string out;
    write(*this, -1, out);
    return out;
}

std::string Json::pretty() const {
    std::string out;
    write(*this, 0, out);
    return out + "\n";
}

std::string Json::show() const {
    if (is_null()) {
        return "nothing";
    }
    return is_string() ? as_string() : dump();
}

Result<Json> Json::parse(std::string_view text) {
    Builder builder;
    try {
        if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
            return builder.take();
        }
    } catch (const std::exception& error) {
        return fail("json.syntax", fmt::format("not JSON: {}", error.what()));
    }
    return fail("json.syntax", fmt::format("not JSON: {}", builder.problem()));
}

}  // namespace drydock
