// PythonGrammar: mistakes that stop Python before it runs a file, as far as single lines show them.
#pragma once

#include "chain/python_source.h"

#include <string>
#include <vector>

namespace drydock::chain {

// Takes the lines of one file in their order. It knows indents, and that two values need an
// operator between them. It does not know the rest of the grammar.
class PythonGrammar {
public:
    // Returns the reason why the line cannot be Python; empty if nothing speaks against it.
    [[nodiscard]] std::string problem_of(const LogicalLine& line);

private:
    [[nodiscard]] std::string problem_of_indent(const LogicalLine& line);

    std::vector<int> indents_ = {0};
    bool opened_block_ = false;
};

}  // namespace drydock::chain
