// Json: the one JSON value of drydock, with std types only.
//
// Integers are exact (signed and unsigned 64 bit: ids of etcd need all 64), and doubles are a kind
// of their own. Objects are sorted by key, so a dump is canonical. The parser refuses duplicate
// keys, values that nest deeper than k_json_depth_max, and bytes after the value.
//
// A value takes 16 bytes, and copies are cheap: strings, arrays and objects are shared and counted.
// A holder that writes to a shared block gets a copy of its own first. A write to an object
// invalidates references to its members. Writing is not thread-safe; different holders of one value
// may belong to different threads.
#pragma once

#include "base/pool_allocator.h"
#include "base/result.h"

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

// The members of an object, sorted by key, side by side in memory. An insertion moves all later
// members. That is cheap where keys come in order or objects are small.
class JsonObject {
public:
    using Entry = std::pair<std::string, Json>;
    using Entries = std::vector<Entry, PoolAllocator<Entry>>;
    using const_iterator = Entries::const_iterator;

    JsonObject() = default;
    JsonObject(std::initializer_list<Entry> entries);

    [[nodiscard]] const_iterator begin() const;
    [[nodiscard]] const_iterator end() const;
    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const;
    [[nodiscard]] const_iterator find(std::string_view key) const;
    [[nodiscard]] bool contains(std::string_view key) const;
    // Allocates memory for `size` members.
    void reserve(std::size_t size);
    void insert_or_assign(std::string_view key, Json value);
    // Adds a member at the end. CHECKs that the key is greater than all others.
    void append(std::string_view key, Json value);
    // Adds a member, or does nothing if the key exists.
    void emplace(std::string_view key, Json value);
    void erase(std::string_view key);
    bool operator==(const JsonObject& rhs) const;

private:
    // Returns the position of the first entry with this key or a greater one.
    [[nodiscard]] std::size_t place(std::string_view key) const;

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

    // True for signed and unsigned integers.
    [[nodiscard]] bool is_integer() const { return kind_ == Kind::integer || kind_ == Kind::large; }

    [[nodiscard]] bool is_number() const { return is_integer() || kind_ == Kind::real; }

    [[nodiscard]] bool is_string() const { return kind_ == Kind::string; }

    [[nodiscard]] bool is_array() const { return kind_ == Kind::array; }

    [[nodiscard]] bool is_object() const { return kind_ == Kind::object; }

    // Return the value if it is of that type, else the fallback. Integers are converted where they
    // fit.
    [[nodiscard]] bool as_bool(bool fallback = false) const;
    [[nodiscard]] std::int64_t as_int(std::int64_t fallback = 0) const;
    [[nodiscard]] std::optional<std::uint64_t> as_uint() const;
    [[nodiscard]] double as_double(double fallback = 0) const;
    [[nodiscard]] const std::string& as_string() const&;  // empty string if it is none
    [[nodiscard]] const Array& items() const&;            // empty if it is no array
    [[nodiscard]] const Object& members() const&;         // empty if it is no object

    // Looks up a member; returns a shared null if this is no object or has no such key.
    [[nodiscard]] const Json& operator[](std::string_view key) const&;

    // Of a temporary these return values: a reference would outlive what it refers to.
    [[nodiscard]] std::string as_string() && { return std::as_const(*this).as_string(); }

    [[nodiscard]] Array items() && { return std::as_const(*this).items(); }

    [[nodiscard]] Object members() && { return std::as_const(*this).members(); }

    [[nodiscard]] Json operator[](std::string_view key) && { return std::as_const(*this)[key]; }

    [[nodiscard]] bool contains(std::string_view key) const;
    // Writes a member; a null becomes an object first. CHECKs that this is an object.
    Json& set(std::string_view key, Json value);
    // Appends to an array; a null becomes an array first. CHECKs that this is an array.
    Json& push(Json value);

    // Follows an RFC 6901 pointer ("/header/member_id"); returns nullptr if nothing is there.
    [[nodiscard]] const Json* find(std::string_view pointer) const&;
    const Json* find(std::string_view pointer) && = delete;

    // Returns the canonical form of RFC 8785: one line, sorted keys, shortest numbers. Equal values
    // have equal bytes.
    [[nodiscard]] std::string dump() const;
    // Returns the form for people: sorted keys, two spaces of indent.
    [[nodiscard]] std::string pretty() const;
    // Returns the value as a part of a sentence: strings without quotes, null as "nothing", all
    // else as dump() has it.
    [[nodiscard]] std::string show() const;

    static Result<Json> parse(std::string_view text);

    bool operator==(const Json& rhs) const;

    bool operator<(const Json& rhs) const { return dump() < rhs.dump(); }

private:
    enum class Kind : std::uint8_t { null, boolean, integer, large, real, string, array, object };

    // The block that holders share; `kind_` tells which of the three derived blocks it is.
    struct Block {
        std::atomic<std::uint32_t> holders = 1;

        static void* operator new(std::size_t bytes) { return pool_allocate(bytes); }

        static void operator delete(void* memory, std::size_t bytes) { pool_free(memory, bytes); }
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

    // A process with one thread counts without locked instructions.
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
    // Returns the block for writing. A shared block is copied first, so other holders see no
    // change.
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
