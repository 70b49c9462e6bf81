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
    std::vector<Value> items;  // items of a tuple, list or set
};

// Returns the value of an expression, or the error "chain.value" with a reason.
[[nodiscard]] Result<Value> value_of(const Token* begin, const Token* end);

// Returns the text of a string token, with escapes resolved.
[[nodiscard]] Result<std::string> text_of(const Token& token);

// Returns a string, a sequence of strings, or None, as a list.
[[nodiscard]] Result<std::vector<std::string>> names_of(const Value& value);

// The value that a simple statement gives to a name. An error of the value is kept until it is
// read.
struct Assignment {
    std::string name;
    int line = 0;
    Result<Value> value;
};

// Returns the assignments to `names` among the statements of one logical line. Any other way to
// bind one of these names becomes an assignment of an error.
[[nodiscard]] std::vector<Assignment> assignments_of(const LogicalLine& line,
                                                     const std::vector<std::string_view>& names);

}  // namespace drydock::chain
