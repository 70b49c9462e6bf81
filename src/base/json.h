// Json: the one JSON value of drydock, with std types only.
//
// Integers are kept exactly (signed and unsigned 64 bit: etcd's ids need all 64), doubles apart
// from them. Objects are sorted by key, so that a dump is canonical. Parsing refuses duplicate
// keys, nesting deeper than k_json_depth_max and bytes after the value. Values are plain values; no
// member is thread-safe for writing.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace drydock {

inline constexpr int k_json_depth_max = 64;  // plans nest about 8 deep; this stops hostile input

class Json {
public:
    using Array = std::vector<Json>;
    using Object = std::map<std::string, Json, std::less<>>;

    Json() = default;

    Json(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): literals read better

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

    [[nodiscard]] bool is_null() const;
    [[nodiscard]] bool is_bool() const;
    [[nodiscard]] bool is_integer() const;  // signed or unsigned
    [[nodiscard]] bool is_number() const;
    [[nodiscard]] bool is_string() const;
    [[nodiscard]] bool is_array() const;
    [[nodiscard]] bool is_object() const;

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

    bool operator==(const Json& other) const;

    bool operator<(const Json& other) const { return dump() < other.dump(); }

private:
    std::variant<std::nullptr_t,
                 bool,
                 std::int64_t,
                 std::uint64_t,
                 double,
                 std::string,
                 Array,
                 Object>
        value_ = nullptr;
};

}  // namespace drydock
