// Json: the one JSON value of drydock, with std types only.
//
// Integers are kept exactly (signed and unsigned 64 bit: etcd's ids need all 64), doubles apart
// from them. Objects are sorted by key, so that a dump is canonical. Parsing refuses duplicate
// keys, nesting deeper than k_json_depth_max and bytes after the value. Values are plain values of
// 16 bytes, and copies are cheap: strings, arrays and objects are shared (their holders are
// counted) until one of the holders writes, who then gets one of its own. Writing to an object ends
// the life of references to what it holds. No member is thread-safe for writing; different holders
// of one value may be used by different threads.
#pragma once

#include "base/result.h"
#include "base/small.h"

#include <sys/single_threaded.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace drydock {

inline constexpr int k_json_depth_max = 64;  // plans nest about 8 deep; this stops hostile input

class Json;

// The members of an object, sorted by key, side by side in memory. Keys come in order or the
// objects are small: putting one before others moves those.
class JsonObject {
public:
    using Entry = std::pair<std::string, Json>;
    using Entries = std::vector<Entry, SmallAllocator<Entry>>;
    using const_iterator = Entries::const_iterator;

    JsonObject() = default;
    JsonObject(std::initializer_list<Entry> entries);

    [[nodiscard]] const_iterator begin() const;
    [[nodiscard]] const_iterator end() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] const_iterator find(std::string_view key) const;
    [[nodiscard]] bool contains(std::string_view key) const;
    // Room for so many.
    void reserve(std::size_t size);
    void insert_or_assign(std::string_view key, Json value);
    // For keys that come in order: CHECKs that this one is after all others.
    void append(std::string_view key, Json value);
    // Does nothing if the key is there.
    void emplace(std::string_view key, Json value);
    void erase(std::string_view key);
    bool operator==(const JsonObject& rhs) const;

private:
    [[nodiscard]] std::size_t place(std::string_view key) const;  // of the first not before it

    Entries entries_;
};

class Json {
public:
    using Array = std::vector<Json>;
    using Object = JsonObject;

    Json() noexcept = default;

    Json(const Json& source) noexcept : payload_(source.payload_), kind_(source.kind_) { hold(); }

    Json(Json&& source) noexcept
        : payload_(source.payload_)
        , kind_(std::exchange(source.kind_, Kind::null)) {}

    Json& operator=(const Json& source) noexcept {
        Json copy(source);
        swap(copy);
        return *this;
    }

    Json& operator=(Json&& source) noexcept {
        Json temporary(std::move(source));
        swap(temporary);
        return *this;
    }

    ~Json() { release(); }

    Json(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor): literals read better

    Json(bool value);              // NOLINT(google-explicit-constructor)
    Json(int value);               // NOLINT(google-explicit-constructor)
    Json(std::int64_t value);      // NOLINT(google-explicit-constructor)
    Json(std::uint64_t value);     // NOLINT(google-explicit-constructor)
    Json(double value);            // NOLINT(google-explicit-constructor)
    Json(const char* value);       // NOLINT(google-explicit-constructor)
    Json(std::string value);       // NOLINT(google-explicit-constructor)
    Json(std::string_view value);  // NOLINT(google-explicit-constructor)
    Json(Array value);             // NOLINT(google-explicit-constructor)
    Json(Object value);            // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool is_null() const { return kind_ == Kind::null; }

    [[nodiscard]] bool is_bool() const { return kind_ == Kind::boolean; }

    // Signed or unsigned.
    [[nodiscard]] bool is_integer() const { return kind_ == Kind::integer || kind_ == Kind::large; }

    [[nodiscard]] bool is_number() const { return is_integer() || kind_ == Kind::real; }

    [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }

    [[nodiscard]] bool is_array() const { return kind_ == Kind::array; }

    [[nodiscard]] bool is_object() const { return kind_ == Kind::object; }

    // The value if it is of that type, else the fallback. Integers convert where they fit.
    [[nodiscard]] bool as_bool(bool fallback = false) const;
    [[nodiscard]] std::int64_t as_int(std::int64_t fallback = 0) const;
    [[nodiscard]] std::optional<std::uint64_t> as_uint() const;
    [[nodiscard]] double as_double(double fallback = 0) const;
    [[nodiscard]] const std::string& as_string() const;  // empty string if it is none
    [[nodiscard]] const Array& items() const;            // empty if it is no array
    [[nodiscard]] const Object& members() const;         // empty if it is no object

    // Object look-up; a shared null where the key or the object is missing.
    [[nodiscard]] const Json& operator[](std::string_view key) const;
    [[nodiscard]] bool contains(std::string_view key) const;
    // Object write access; a null becomes an object first. CHECKs that it is an object.
    Json& set(std::string_view key, Json value);
    // Array append; a null becomes an array first. CHECKs that it is an array.
    Json& push(Json value);

    // RFC 6901 pointer ("/header/member_id"); nullptr where nothing is.
    [[nodiscard]] const Json* find(std::string_view pointer) const;

    // RFC 8785 canonical form: one line, keys sorted, shortest numbers. Equal values give equal
    // bytes.
    [[nodiscard]] std::string dump() const;
    // For people: two spaces of indent, keys sorted.
    [[nodiscard]] std::string pretty() const;
    // How a value reads in a sentence: strings without quotes, null as "nothing", the rest as
    // dump().
    [[nodiscard]] std::string show() const;

    static Result<Json> parse(std::string_view text);

    bool operator==(const Json& rhs) const;

    bool operator<(const Json& rhs) const { return dump() < rhs.dump(); }

private:
    enum class Kind : std::uint8_t { null, boolean, integer, large, real, string, array, object };

    // What holders share; the kind tells which of the three it is.
    struct Block {
        std::atomic<std::uint32_t> holders = 1;

        static void* operator new(std::size_t bytes) { return take_small(bytes); }

        static void operator delete(void* memory, std::size_t bytes) {
            give_back_small(memory, bytes);
        }
    };

    struct Text;
    struct Items;
    struct Members;

    union Payload {
        bool boolean;
        std::int64_t integer;
        std::uint64_t large;  // beyond the signed ones
        double real;
        Block* block;  // null: an empty string, array or object, which takes no memory
    };

    [[nodiscard]] bool shares() const { return kind_ >= Kind::string && payload_.block != nullptr; }

    // A program without threads counts without locking the bus.
    void hold() const {
        if (!shares()) {
            return;
        }
        auto& holders = payload_.block->holders;
        if (__libc_single_threaded != 0) {
            holders.store(holders.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        } else {
            holders.fetch_add(1, std::memory_order_relaxed);
        }
    }

    void release() {
        if (!shares()) {
            return;
        }
        auto& holders = payload_.block->holders;
        const std::uint32_t count = holders.load(std::memory_order_acquire);
        if (count != 1 && __libc_single_threaded != 0) {
            holders.store(count - 1, std::memory_order_relaxed);
        } else if (count == 1 || holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            destroy();
        }
    }

    void swap(Json& rhs) noexcept {
        std::swap(payload_, rhs.payload_);
        std::swap(kind_, rhs.kind_);
    }

    void destroy();
    // The block that this one alone holds, of what it held before.
    template <class Own>
    [[nodiscard]] Own& own();

    Payload payload_ = {};
    Kind kind_ = Kind::null;
};

inline JsonObject::const_iterator JsonObject::begin() const {
    return entries_.begin();
}

inline JsonObject::const_iterator JsonObject::end() const {
    return entries_.end();
}

inline std::size_t JsonObject::size() const {
    return entries_.size();
}

inline bool JsonObject::empty() const {
    return entries_.empty();
}

inline bool JsonObject::contains(std::string_view key) const {
    return find(key) != end();
}

inline void JsonObject::reserve(std::size_t size) {
    entries_.reserve(size);
}

}  // namespace drydock
