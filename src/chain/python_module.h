// PythonModule: the facts that a text shows of a Python module. These are its description, the
// values of some of its names, and whether its function `downgrade` does anything.
#pragma once

#include "chain/chain.h"
#include "chain/python_assignment.h"
#include "chain/python_rebinding.h"

#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

struct PythonModule {
    // Reads the assignments to `names` at the module's level. With `in_class`, reads those directly
    // in the class of that name instead.
    PythonModule(std::string_view text,
                 const std::vector<std::string_view>& names,
                 std::string_view in_class = {});

    // Returns the last assignment to the name, which holds; nullptr if there is none.
    [[nodiscard]] const Assignment* find(std::string_view name) const;

    [[nodiscard]] bool has(std::string_view name) const { return find(name) != nullptr; }

    std::string doc;  // first line of the docstring; empty: none
    std::vector<Assignment> assignments;
    WayDown way_down = WayDown::missing;
    bool has_class = false;  // the class `in_class` exists
    std::string bases;       // of the class, without spaces; empty: none
    int star_line = 0;       // of the last `from x import *`
    // Statements that may change the names, in ways beyond the reader.
    std::vector<Doubt> doubts;
    std::string problem;  // not empty: this is no Python
    int problem_line = 0;
};

}  // namespace drydock::chain
