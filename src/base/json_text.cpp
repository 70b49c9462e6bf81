// The text form of Json: nlohmann's parser, and a writer of its own.
//
// The parser's events build a Json directly. A DOM of nlohmann would keep the last of two equal
// keys silently, and its recursion has no limit for hostile input. The writer produces RFC 8785
// exactly, since digests of plans are computed over its bytes. It writes into a buffer that each
// thread keeps: most texts are small and short-lived.
#include "base/check.h"
#include "base/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace drydock {

namespace {

// Builds a Json from the events of the parser, with a stack of open containers. A member function
// that returns false ends the parse; problem_ says the reason.
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
        const std::string_view message = error.what();
        const auto cut = message.find("] ");
        return refuse(fmt::format(
            "byte {}: {}", position, cut == message.npos ? message : message.substr(cut + 2)));
    }

    [[nodiscard]] const std::string& problem() const { return problem_; }

    Json take() { return std::move(root_); }

private:
    bool refuse(std::string reason) {
        problem_ = std::move(reason);
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
        Json container = std::move(stack_.back());
        stack_.pop_back();
        keys_.pop_back();
        return put(std::move(container));
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
constexpr std::size_t k_kept_max = 1U << 20U;  // bytes that a thread keeps between two texts
constexpr std::size_t k_first_bytes = 4096;

// A growing buffer of bytes. Its memory is kept for the next text, up to k_kept_max bytes.
class TextBuffer {
public:
    void put(char c) {
        *reserve(1) = c;
        ++size_;
    }

    void put(std::string_view text) {
        text.copy(reserve(text.size()), text.size());
        size_ += text.size();
    }

    // Returns the address of `size` free bytes behind the text; wrote() must be called with the end
    // of the bytes that were used.
    char* reserve(std::size_t size) {
        if (size_ + size > bytes_.size()) {
            bytes_.resize(std::max({2 * bytes_.size(), size_ + size, k_first_bytes}));
        }
        return bytes_.data() + size_;
    }

    void set_end(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.data()); }

    [[nodiscard]] std::string take() {
        std::string text(bytes_.data(), std::exchange(size_, 0));
        if (bytes_.size() > k_kept_max) {
            bytes_ = {};
        }
        return text;
    }

private:
    std::vector<char> bytes_;
    std::size_t size_ = 0;
};

void write_escape(char c, TextBuffer& buffer) {
    constexpr std::string_view k_short = "\"\\\b\f\n\r\t";
    constexpr std::string_view k_letters = "\"\\bfnrt";
    if (const auto index = k_short.find(c); index != k_short.npos) {
        buffer.put('\\');
        buffer.put(k_letters[index]);
        return;
    }
    const auto byte = static_cast<unsigned char>(c);
    buffer.put("\\u00");
    buffer.put(k_hex[byte >> 4U]);
    buffer.put(k_hex[byte & 0xFU]);
}

// By byte: true if a string literal has it without an escape. Bytes of UTF-8 are among them.
constexpr std::array<bool, 256> k_plain = [] {
    std::array<bool, 256> plain = {};
    for (std::size_t byte = 0x20; byte < plain.size(); ++byte) {
        plain.at(byte) = byte != '"' && byte != '\\';
    }
    return plain;
}();

// Copies runs of plain bytes in one piece, and escapes the bytes between them.
void write_string(std::string_view text, TextBuffer& buffer) {
    buffer.put('"');
    while (!text.empty()) {
        const auto stop = std::find_if(text.begin(), text.end(), [](char c) {
            return !k_plain[static_cast<unsigned char>(c)];
        });
        const auto plain = static_cast<std::size_t>(stop - text.begin());
        buffer.put(text.substr(0, plain));
        text.remove_prefix(plain);
        if (!text.empty()) {
            write_escape(text.front(), buffer);
            text.remove_prefix(1);
        }
    }
    buffer.put('"');
}

constexpr std::size_t k_number_bytes_max = 40;

template <class... Number>
void write_number(TextBuffer& buffer, Number... number) {
    char* const begin = buffer.reserve(k_number_bytes_max);
    buffer.set_end(std::to_chars(begin, begin + k_number_bytes_max, number...).ptr);
}

// Follows RFC 8785 section 3.2.2.3: numbers as ECMAScript prints them. Whole numbers have no
// fraction, and an exponent appears only below 1e-6 and from 1e21 on.
void write_double(double value, TextBuffer& buffer) {
    CHECK(std::isfinite(value));
    if (value == std::floor(value) && std::fabs(value) < 1e15) {
        write_number(buffer, static_cast<std::int64_t>(value));
        return;
    }
    const bool plain = std::fabs(value) >= 1e-6 && std::fabs(value) < 1e21;
    write_number(buffer, value, plain ? std::chars_format::fixed : std::chars_format::scientific);
}

void newline(int indent, TextBuffer& buffer) {
    if (indent >= 0) {
        buffer.put('\n');
        for (int i = 0; i < indent; ++i) {
            buffer.put(' ');
        }
    }
}

void write(const Json& value, int indent, TextBuffer& out);

// Writes the members of an array or object between their brackets. A negative `indent` gives one
// line.
template <class Range, class WriteOne>
void write_block(const Range& range,
                 std::string_view brackets,
                 int indent,
                 TextBuffer& buffer,
                 WriteOne write_one) {
    buffer.put(brackets.front());
    const int inner = indent < 0 ? indent : indent + 2;
    bool first = true;
    for (const auto& entry : range) {
        if (!std::exchange(first, false)) {
            buffer.put(',');
        }
        newline(inner, buffer);
        write_one(entry, inner);
    }
    if (!first) {
        newline(indent, buffer);
    }
    buffer.put(brackets.back());
}

void write(const Json& value, int indent, TextBuffer& buffer) {
    if (value.is_string()) {
        write_string(value.as_string(), buffer);
    } else if (value.is_object()) {
        write_block(value.members(), "{}", indent, buffer, [&](const auto& member, int inner) {
            write_string(member.first, buffer);
            buffer.put(inner < 0 ? std::string_view(":") : ": ");
            write(member.second, inner, buffer);
        });
    } else if (value.is_array()) {
        write_block(value.items(), "[]", indent, buffer, [&](const Json& item, int inner) {
            write(item, inner, buffer);
        });
    } else if (value.is_bool()) {
        buffer.put(value.as_bool() ? std::string_view("true") : "false");
    } else if (const auto number = value.as_uint(); number) {
        write_number(buffer, *number);
    } else if (value.is_integer()) {
        write_number(buffer, value.as_int());
    } else if (value.is_number()) {
        write_double(value.as_double(), buffer);
    } else {
        buffer.put("null");
    }
}

// Returns the text of a value with `ending` behind it.
std::string text_of(const Json& value, int indent, std::string_view ending) {
    thread_local TextBuffer buffer;
    write(value, indent, buffer);
    buffer.put(ending);
    return buffer.take();
}

}  // namespace

std::string Json::dump() const {
    return text_of(*this, -1, "");
}

std::string Json::pretty() const {
    return text_of(*this, 0, "\n");
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
