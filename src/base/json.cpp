#include "base/json.h"

#include "base/check.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace drydock {

namespace {

const Json k_null;
const std::string k_empty_string;
const Json::Array k_empty_array;
const Json::Object k_empty_object;

constexpr std::size_t k_room = 4;  // for the first keys at once
constexpr std::size_t k_few = 8;   // keys that are looked through one by one

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

std::string unescape_pointer(std::string_view token) {
    std::string out;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            out += token[++i] == '1' ? '/' : '~';
        } else {
            out += token[i];
        }
    }
    return out;
}

const Json* child(const Json& value, const std::string& token) {
    if (value.is_object()) {
        const auto it = value.members().find(token);
        return it == value.members().end() ? nullptr : &it->second;
    }
    std::size_t index = 0;
    const auto end = std::from_chars(token.data(), token.data() + token.size(), index);
    const bool whole = end.ec == std::errc() && end.ptr == token.data() + token.size();
    return value.is_array() && whole && index < value.items().size() ? &value.items()[index]
                                                                     : nullptr;
}

}  // namespace

JsonObject::JsonObject(std::initializer_list<Entry> entries) {
    entries_.reserve(entries.size());
    for (const Entry& entry : entries) {
        emplace(entry.first, entry.second);
    }
}

std::size_t JsonObject::place(std::string_view key) const {
    if (entries_.empty() || entries_.back().first < key) {
        return entries_.size();  // keys that come in order
    }
    const auto it =
        std::lower_bound(begin(), end(), key, [](const Entry& entry, std::string_view wanted) {
            return entry.first < wanted;
        });
    return static_cast<std::size_t>(it - begin());
}

JsonObject::const_iterator JsonObject::find(std::string_view key) const {
    if (entries_.size() <= k_few) {
        return std::find_if(begin(), end(), [&](const Entry& entry) { return entry.first == key; });
    }
    const auto it = begin() + static_cast<std::ptrdiff_t>(place(key));
    return it != end() && it->first == key ? it : end();
}

void JsonObject::insert_or_assign(std::string_view key, Json value) {
    if (entries_.capacity() == 0) {
        entries_.reserve(k_room);
    }
    const std::size_t at = place(key);
    if (at < entries_.size() && entries_[at].first == key) {
        entries_[at].second = std::move(value);
    } else {
        entries_.emplace(entries_.begin() + static_cast<std::ptrdiff_t>(at), key, std::move(value));
    }
}

void JsonObject::emplace(std::string_view key, Json value) {
    if (!contains(key)) {
        insert_or_assign(key, std::move(value));
    }
}

void JsonObject::erase(std::string_view key) {
    if (const auto it = find(key); it != end()) {
        entries_.erase(it);
    }
}

bool JsonObject::operator==(const JsonObject& other) const {
    return entries_ == other.entries_;
}

Json::Json(bool value) : value_(value) {
}

Json::Json(int value) : value_(std::int64_t{value}) {
}

Json::Json(std::int64_t value) : value_(value) {
}

// What fits the signed type is kept there, so that equal numbers are equal values.
Json::Json(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        value_ = static_cast<std::int64_t>(value);
    } else {
        value_ = value;
    }
}

Json::Json(double value) : value_(value) {
}

Json::Json(const char* value) : value_(std::string(value)) {
}

Json::Json(std::string value) : value_(std::move(value)) {
}

Json::Json(std::string_view value) : value_(std::string(value)) {
}

Json::Json(Array value) : value_(Shared<Array>(std::move(value))) {
}

Json::Json(Object value) : value_(Shared<Object>(std::move(value))) {
}

bool Json::is_null() const {
    return std::holds_alternative<std::nullptr_t>(value_);
}

bool Json::is_bool() const {
    return std::holds_alternative<bool>(value_);
}

bool Json::is_integer() const {
    return std::holds_alternative<std::int64_t>(value_)
           || std::holds_alternative<std::uint64_t>(value_);
}

bool Json::is_number() const {
    return is_integer() || std::holds_alternative<double>(value_);
}

bool Json::is_string() const {
    return std::holds_alternative<std::string>(value_);
}

bool Json::is_array() const {
    return std::holds_alternative<Shared<Array>>(value_);
}

bool Json::is_object() const {
    return std::holds_alternative<Shared<Object>>(value_);
}

bool Json::as_bool(bool fallback) const {
    const auto* value = std::get_if<bool>(&value_);
    return value != nullptr ? *value : fallback;
}

std::int64_t Json::as_int(std::int64_t fallback) const {
    const auto* value = std::get_if<std::int64_t>(&value_);
    return value != nullptr ? *value : fallback;
}

std::optional<std::uint64_t> Json::as_uint() const {
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) {
        return *value;
    }
    const auto* value = std::get_if<std::int64_t>(&value_);
    return value != nullptr && *value >= 0 ? std::optional(static_cast<std::uint64_t>(*value))
                                           : std::nullopt;
}

double Json::as_double(double fallback) const {
    if (const auto* value = std::get_if<double>(&value_)) {
        return *value;
    }
    if (const auto* value = std::get_if<std::uint64_t>(&value_)) {
        return static_cast<double>(*value);
    }
    const auto* value = std::get_if<std::int64_t>(&value_);
    return value != nullptr ? static_cast<double>(*value) : fallback;
}

const std::string& Json::as_string() const {
    const auto* value = std::get_if<std::string>(&value_);
    return value != nullptr ? *value : k_empty_string;
}

const Json::Array& Json::items() const {
    const auto* value = std::get_if<Shared<Array>>(&value_);
    return value != nullptr ? value->get() : k_empty_array;
}

const Json::Object& Json::members() const {
    const auto* value = std::get_if<Shared<Object>>(&value_);
    return value != nullptr ? value->get() : k_empty_object;
}

const Json& Json::operator[](std::string_view key) const {
    const Object& object = members();
    const auto it = object.find(key);
    return it == object.end() ? k_null : it->second;
}

bool Json::contains(std::string_view key) const {
    return members().contains(key);
}

Json& Json::set(std::string_view key, Json value) {
    if (is_null()) {
        value_ = Shared<Object>(Object{});
    }
    CHECK(is_object());
    std::get<Shared<Object>>(value_).own().insert_or_assign(key, std::move(value));
    return *this;
}

Json& Json::push(Json value) {
    if (is_null()) {
        value_ = Shared<Array>(Array{});
    }
    CHECK(is_array());
    std::get<Shared<Array>>(value_).own().push_back(std::move(value));
    return *this;
}

const Json* Json::find(std::string_view pointer) const {
    const Json* at = this;
    while (!pointer.empty() && at != nullptr) {
        if (pointer.front() != '/') {
            return nullptr;
        }
        const auto end = pointer.find('/', 1);
        const auto token = pointer.substr(1, end == pointer.npos ? pointer.npos : end - 1);
        at = child(*at, unescape_pointer(token));
        pointer = end == pointer.npos ? std::string_view() : pointer.substr(end);
    }
    return at;
}

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

bool Json::operator==(const Json& other) const {
    return value_ == other.value_;
}

}  // namespace drydock
