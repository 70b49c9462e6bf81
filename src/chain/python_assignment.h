// Assignments: the values that one logical line of Python gives to names.
#pragma once

#include "base/result.h"
#include "chain/python_source.h"
#include "chain/python_value.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

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
