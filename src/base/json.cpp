#include "base/json.h"

#include "base/check.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace drydock {

namespace {

const Json k_null;
const std::string k_empty_string;
const Json::Array k_empty_array;
const Json::Object k_empty_object;

constexpr std::size_t k_room = 4;  // for the first keys at once
constexpr std::size_t k_few = 8;   // keys that are looked through one by one

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

void JsonObject::append(std::string_view key, Json value) {
    CHECK(entries_.empty() || entries_.back().first < key);
    entries_.emplace_back(key, std::move(value));
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

Json::Json(Array value)
    : value_(value.empty() ? Shared<Array>() : Shared<Array>(std::move(value))) {
}

Json::Json(Object value)
    : value_(value.empty() ? Shared<Object>() : Shared<Object>(std::move(value))) {
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
        value_ = Shared<Object>();
    }
    CHECK(is_object());
    std::get<Shared<Object>>(value_).own().insert_or_assign(key, std::move(value));
    return *this;
}

Json& Json::push(Json value) {
    if (is_null()) {
        value_ = Shared<Array>();
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

bool Json::operator==(const Json& other) const {
    return value_ == other.value_;
}

}  // namespace drydock
