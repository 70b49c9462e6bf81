// The values of Python that a text alone shows: strings, None, and sequences of these.
//
// Other expressions (names, calls, numbers, f-strings with braces) are errors, as only running the
// file would give their value.
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

// Returns the value of an expression, or the error "chain.value" with a reason.
[[nodiscard]] Result<Value> value_of(const Token* begin, const Token* end);

// Returns the text of a string token, with escapes resolved.
[[nodiscard]] Result<std::string> text_of(const Token& token);

// Returns a string, a sequence of strings, or None, as a list. An empty string is an error: no id
// is empty.
[[nodiscard]] Result<std::vector<std::string>> names_of(const Value& value);

// Returns the error "chain.value" with this reason and a remedy.
[[nodiscard]] tl::unexpected<Error> no_value(const std::string& reason);

}  // namespace drydock::chain
