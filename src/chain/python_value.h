// The values of Python that a text alone tells: strings, None, and sequences of these.
//
// Everything else (names, calls, numbers, f-strings with braces) is an error: only running the file
// could tell it.
#pragma once

#include "base/result.h"
#include "chain/python_source.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct Value {
    enum class Kind { none, text, list };

    Kind kind = Kind::none;
    std::string text;
    std::vector<Value> items;  // of a tuple, list or set
    bool is_mutable = false;   // a list or a set
    bool is_set = false;       // its items have no order
};

// The value of an expression; "chain.value" with a reason otherwise.
[[nodiscard]] Result<Value> value_of(const Token* begin, const Token* end);

// The text of a string token. Escapes are resolved.
[[nodiscard]] Result<std::string> text_of(const Token& token);

// A string or a sequence of strings, or None, as a list.
[[nodiscard]] Result<std::vector<std::string>> names_of(const Value& value);

// Returns the error "chain.value" with this reason, for any text that only running could tell.
[[nodiscard]] tl::unexpected<Error> no_value(const std::string& reason);

}  // namespace drydock::chain
