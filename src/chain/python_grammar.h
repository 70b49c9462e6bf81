// PythonGrammar: mistakes that stop Python before it runs a file, as far as a line shows them.
#pragma once

#include "chain/python_source.h"

#include <string>
#include <vector>

namespace drydock::chain {

// It is given the lines of one file in their order. It knows the indents, and that two values need
// an operator between them. It does not know the rest of the grammar.
class PythonGrammar {
public:
    // Why the line cannot be Python; empty: nothing speaks against it.
    [[nodiscard]] std::string problem_of(const LogicalLine& line);

private:
    [[nodiscard]] std::string problem_of_indent(const LogicalLine& line);

    std::vector<int> indents_ = {0};
    bool opened_block_ = false;
};

}  // namespace drydock::chain
