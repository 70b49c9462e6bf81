// Checks two rules of Python's grammar that damaged files break first: indents and joined values.
//
// A file that Python refuses gives no revision, although its assignments may look right. Only rules
// without exceptions are checked: a false mistake would refuse a good package. A whole parser would
// be larger than all of this folder.
#include "chain/python_grammar.h"

#include <fmt/format.h>

#include <algorithm>

namespace drydock::chain {

namespace {

// Sorted. `match`, `case` and `type` are keywords at the beginning of a line only.
constexpr std::string_view k_keywords[] = {
    "and",    "as",   "assert", "async",  "await",  "break",   "class",    "continue",
    "def",    "del",  "elif",   "else",   "except", "finally", "for",      "from",
    "global", "if",   "import", "in",     "is",     "lambda",  "nonlocal", "not",
    "or",     "pass", "raise",  "return", "try",    "while",   "with",     "yield"};

bool is_keyword(std::string_view word) {
    return std::binary_search(std::begin(k_keywords), std::end(k_keywords), word);
}

bool is_soft_keyword(const Token& first) {
    return first.is_name("match") || first.is_name("case") || first.is_name("type");
}

bool is_word(const Token& token) {
    return token.kind == TokenKind::name && !is_keyword(token.text);
}

bool ends_value(const Token& token) {
    return is_word(token) || token.kind == TokenKind::string || token.is_closing();
}

bool begins_value(const Token& token) {
    return is_word(token) || token.kind == TokenKind::string || token.kind == TokenKind::number;
}

// Adjacent strings are one value; all other neighbours need an operator or a keyword.
bool are_two_values(const Token& previous, const Token& token) {
    const bool are_strings = previous.kind == TokenKind::string && token.kind == TokenKind::string;
    return !are_strings && ends_value(previous) && begins_value(token);
}

// A soft keyword at the beginning may be followed by a value, as in `match command:`.
std::string problem_of_values(const Tokens& tokens) {
    const std::size_t first = is_soft_keyword(tokens.front()) ? 2 : 1;
    for (std::size_t i = first; i < tokens.size(); ++i) {
        if (are_two_values(tokens[i - 1], tokens[i])) {
            return fmt::format("nothing joins `{}` and `{}`", tokens[i - 1].text, tokens[i].text);
        }
    }
    return {};
}

}  // namespace

std::string PythonGrammar::problem_of(const LogicalLine& line) {
    std::string problem = problem_of_indent(line);
    opened_block_ = line.opens_block;
    return problem.empty() ? problem_of_values(line.tokens) : problem;
}

// `indents_` has the indents of the open blocks. A deeper line must follow the head of a block, and
// the end of a block must return to one of them.
std::string PythonGrammar::problem_of_indent(const LogicalLine& line) {
    const bool is_deeper = line.indent > indents_.back();
    if (is_deeper != opened_block_) {
        return is_deeper ? "an indent that no block opened" : "a block that has no lines";
    }
    if (is_deeper) {
        indents_.push_back(line.indent);
    }
    while (line.indent < indents_.back()) {
        indents_.pop_back();
    }
    return line.indent == indents_.back() ? "" : "an indent that fits to no block";
}

}  // namespace drydock::chain
