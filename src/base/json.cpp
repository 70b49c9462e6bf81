// Json in memory: the object's sorted entries, the shared blocks and the accessors. json_text.cpp
// reads and writes the text form.
//
// Two invariants carry the whole class. A block is changed only by a holder whose counter is 1, so
// a copy never sees the writes of another one. An empty string, array or object has no block at
// all, so a null pointer stands for the empty value of its kind.
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

constexpr std::size_t k_room = 4;  // entries of the first allocation
constexpr std::size_t k_few = 16;  // up to so many entries are scanned

// Replaces `~1` by `/` and `~0` by `~`, as RFC 6901 orders.
std::string unescape_pointer(std::string_view token) {
    std::string text;
    for (std::size_t i = 0; i < token.size(); ++i) {
        if (token[i] == '~' && i + 1 < token.size()) {
            text += token[++i] == '1' ? '/' : '~';
        } else {
            text += token[i];
        }
    }
    return text;
}

// Returns the member or the element that one token of a pointer names; nullptr if there is none. A
// token such as "01x" is no index: the number must fill all of it.
const Json* child(const Json& value, std::string_view token) {
    if (value.is_object()) {
        const auto entry = value.members().find(token);
        return entry == value.members().end() ? nullptr : &entry->second;
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

// Returns the position of the first entry whose key is not less. Most documents come with sorted
// keys (drydock wrote them), so the last entry is compared before the binary search.
std::size_t JsonObject::place(std::string_view key) const {
    if (entries_.empty() || entries_.back().first < key) {
        return entries_.size();  // the usual case: sorted input
    }
    const auto match =
        std::lower_bound(begin(), end(), key, [](const Entry& entry, std::string_view target_key) {
            return entry.first < target_key;
        });
    return static_cast<std::size_t>(match - begin());
}

// Small objects are scanned, and sizes are compared before bytes: most keys of one object differ in
// length. Larger objects are searched by halves.
JsonObject::const_iterator JsonObject::find(std::string_view key) const {
    if (entries_.size() <= k_few) {
        auto entry = begin();
        while (entry != end() && (entry->first.size() != key.size() || entry->first != key)) {
            ++entry;
        }
        return entry;
    }
    const auto entry = begin() + static_cast<std::ptrdiff_t>(place(key));
    return entry != end() && entry->first == key ? entry : end();
}

void JsonObject::insert_or_assign(std::string_view key, Json value) {
    if (entries_.capacity() == 0) {
        entries_.reserve(k_room);
    }
    const std::size_t position = place(key);
    if (position < entries_.size() && entries_[position].first == key) {
        entries_[position].second = std::move(value);
    } else {
        entries_.emplace(
            entries_.begin() + static_cast<std::ptrdiff_t>(position), key, std::move(value));
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
    if (const auto entry = find(key); entry != end()) {
        entries_.erase(entry);
    }
}

bool JsonObject::operator==(const JsonObject& rhs) const {
    return entries_ == rhs.entries_;
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

// A number that fits the signed type gets the signed kind. So equal numbers are equal values,
// whichever constructor made them.
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

// Block has no virtual destructor, which would cost 8 bytes a block, so the kind selects the type.
void Json::destroy() {
    if (kind_ == Kind::string) {
        delete static_cast<Text*>(payload_.block);
    } else if (kind_ == Kind::array) {
        delete static_cast<Items*>(payload_.block);
    } else {
        delete static_cast<Members*>(payload_.block);
    }
}

// Copy on write. The acquire pairs with the release of the holder that dropped its share: its reads
// of the block are over before this holder writes.
template <class Own>
Own& Json::own() {
    auto* const block = static_cast<Own*>(payload_.block);
    if (block == nullptr) {
        payload_.block = new Own();
    } else if (block->holders.load(std::memory_order_acquire) != 1) {
        auto* const copy = new Own(block->value);
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

const std::string& Json::as_string() const& {
    return is_string() && shares() ? static_cast<const Text*>(payload_.block)->value
                                   : k_empty_string;
}

const Json::Array& Json::items() const& {
    return is_array() && shares() ? static_cast<const Items*>(payload_.block)->value
                                  : k_empty_array;
}

const Json::Object& Json::members() const& {
    return is_object() && shares() ? static_cast<const Members*>(payload_.block)->value
                                   : k_empty_object;
}

const Json& Json::operator[](std::string_view key) const& {
    const Object& object = members();
    const auto entry = object.find(key);
    return entry == object.end() ? k_null : entry->second;
}

bool Json::contains(std::string_view key) const {
    return members().contains(key);
}

// A null becomes an object, so a document can be built member by member from Json().
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

// Most tokens have no escape, so a token is copied only if it has a `~`.
const Json* Json::find(std::string_view pointer) const& {
    const Json* target = this;
    while (!pointer.empty() && target != nullptr) {
        if (pointer.front() != '/') {
            return nullptr;
        }
        const auto end = pointer.find('/', 1);
        const auto token = pointer.substr(1, end == pointer.npos ? pointer.npos : end - 1);
        const bool plain = token.find('~') == token.npos;
        target = plain ? child(*target, token) : child(*target, unescape_pointer(token));
        pointer = end == pointer.npos ? std::string_view() : pointer.substr(end);
    }
    return target;
}

// Values that share a block are equal without a look at its content. Kinds are compared first, so 1
// and 1.0 are different values.
bool Json::operator==(const Json& rhs) const {
    if (kind_ != rhs.kind_) {
        return false;
    }
    switch (kind_) {
    case Kind::null:
        return true;
    case Kind::boolean:
        return payload_.boolean == rhs.payload_.boolean;
    case Kind::integer:
        return payload_.integer == rhs.payload_.integer;
    case Kind::large:
        return payload_.large == rhs.payload_.large;
    case Kind::real:
        return payload_.real == rhs.payload_.real;
    case Kind::string:
        return payload_.block == rhs.payload_.block || as_string() == rhs.as_string();
    case Kind::array:
        return payload_.block == rhs.payload_.block || items() == rhs.items();
    case Kind::object:
        return payload_.block == rhs.payload_.block || members() == rhs.members();
    }
    return false;
}

}  // namespace drydock
