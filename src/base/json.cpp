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
constexpr std::size_t k_few = 16;  // keys that are looked through one by one

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

const Json* child(const Json& value, std::string_view token) {
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
        auto it = begin();
        while (it != end() && (it->first.size() != key.size() || it->first != key)) {
            ++it;
        }
        return it;
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

struct Json::Text : Block {
    explicit Text(std::string text = {}) : value(std::move(text)) {}

    std::string value;
};

struct Json::Items : Block {
    explicit Items(Array items = {}) : value(std::move(items)) {}

    Array value;
};

struct Json::Members : Block {
    explicit Members(Object members = {}) : value(std::move(members)) {}

    Object value;
};

Json::Json(bool value) : kind_(Kind::boolean) {
    payload_.boolean = value;
}

Json::Json(int value) : Json(std::int64_t{value}) {
}

Json::Json(std::int64_t value) : kind_(Kind::integer) {
    payload_.integer = value;
}

// What fits the signed type is kept there, so that equal numbers are equal values.
Json::Json(std::uint64_t value) : Json(static_cast<std::int64_t>(value)) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        payload_.large = value;
        kind_ = Kind::large;
    }
}

Json::Json(double value) : kind_(Kind::real) {
    payload_.real = value;
}

Json::Json(const char* value) : Json(std::string(value)) {
}

Json::Json(std::string value) : kind_(Kind::string) {
    payload_.block = value.empty() ? nullptr : new Text(std::move(value));
}

Json::Json(std::string_view value) : Json(std::string(value)) {
}

Json::Json(Array value) : kind_(Kind::array) {
    payload_.block = value.empty() ? nullptr : new Items(std::move(value));
}

Json::Json(Object value) : kind_(Kind::object) {
    payload_.block = value.empty() ? nullptr : new Members(std::move(value));
}

void Json::destroy() {
    if (kind_ == Kind::string) {
        delete static_cast<Text*>(payload_.block);
    } else if (kind_ == Kind::array) {
        delete static_cast<Items*>(payload_.block);
    } else {
        delete static_cast<Members*>(payload_.block);
    }
}

template <class Own>
Own& Json::own() {
    auto* const held = static_cast<Own*>(payload_.block);
    if (held == nullptr) {
        payload_.block = new Own();
    } else if (held->holders.load(std::memory_order_acquire) != 1) {
        auto* const copy = new Own(held->value);
        release();
        payload_.block = copy;
    }
    return *static_cast<Own*>(payload_.block);
}

bool Json::as_bool(bool fallback) const {
    return is_bool() ? payload_.boolean : fallback;
}

std::int64_t Json::as_int(std::int64_t fallback) const {
    return kind_ == Kind::integer ? payload_.integer : fallback;
}

std::optional<std::uint64_t> Json::as_uint() const {
    if (kind_ == Kind::large) {
        return payload_.large;
    }
    return kind_ == Kind::integer && payload_.integer >= 0
               ? std::optional(static_cast<std::uint64_t>(payload_.integer))
               : std::nullopt;
}

double Json::as_double(double fallback) const {
    if (kind_ == Kind::real) {
        return payload_.real;
    }
    if (kind_ == Kind::large) {
        return static_cast<double>(payload_.large);
    }
    return kind_ == Kind::integer ? static_cast<double>(payload_.integer) : fallback;
}

const std::string& Json::as_string() const {
    return is_string() && shares() ? static_cast<const Text*>(payload_.block)->value
                                   : k_empty_string;
}

const Json::Array& Json::items() const {
    return is_array() && shares() ? static_cast<const Items*>(payload_.block)->value
                                  : k_empty_array;
}

const Json::Object& Json::members() const {
    return is_object() && shares() ? static_cast<const Members*>(payload_.block)->value
                                   : k_empty_object;
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
        *this = Json(Object{});
    }
    CHECK(is_object());
    own<Members>().value.insert_or_assign(key, std::move(value));
    return *this;
}

Json& Json::push(Json value) {
    if (is_null()) {
        *this = Json(Array{});
    }
    CHECK(is_array());
    own<Items>().value.push_back(std::move(value));
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
        const bool plain = token.find('~') == token.npos;
        at = plain ? child(*at, token) : child(*at, unescape_pointer(token));
        pointer = end == pointer.npos ? std::string_view() : pointer.substr(end);
    }
    return at;
}

bool Json::operator==(const Json& other) const {
    if (kind_ != other.kind_) {
        return false;
    }
    switch (kind_) {
    case Kind::null:
        return true;
    case Kind::boolean:
        return payload_.boolean == other.payload_.boolean;
    case Kind::integer:
        return payload_.integer == other.payload_.integer;
    case Kind::large:
        return payload_.large == other.payload_.large;
    case Kind::real:
        return payload_.real == other.payload_.real;
    case Kind::string:
        return payload_.block == other.payload_.block || as_string() == other.as_string();
    case Kind::array:
        return payload_.block == other.payload_.block || items() == other.items();
    case Kind::object:
        return payload_.block == other.payload_.block || members() == other.members();
    }
    return false;
}

}  // namespace drydock
