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

// What a simple statement gives a name. An error of the value is kept until it is asked for.
struct Assignment {
    std::string name;
    int line = 0;
    Result<Value> value;
};

// The assignments to `names` among the statements of one logical line. Any way to bind one of them
// whose outcome the text does not tell becomes an assignment of an error.
[[nodiscard]] std::vector<Assignment> assignments_of(const LogicalLine& line,
                                                     const std::vector<std::string_view>& names);

}  // namespace drydock::chain
