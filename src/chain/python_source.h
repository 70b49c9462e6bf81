// PythonSource: the logical lines of a Python file, as tokens, without running anything.
//
// It knows where a line ends (brackets, backslashes, strings of all kinds, nested f-strings) and
// its indent. It does not check the grammar of Python beyond that. Tokens point into the text,
// which must outlive them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::chain {

enum class TokenKind { name, number, string, op };

struct Token {
    TokenKind kind = TokenKind::op;
    std::string_view text;  // a string with its prefix and quotes
    int line = 0;

    [[nodiscard]] bool is_op(std::string_view op) const {
        return kind == TokenKind::op && text == op;
    }

    [[nodiscard]] bool is_name(std::string_view name) const {
        return kind == TokenKind::name && text == name;
    }

    // Returns true for the brackets ( [ {.
    [[nodiscard]] bool is_opening() const { return is_op("(") || is_op("[") || is_op("{"); }

    // Returns true for the brackets ) ] }.
    [[nodiscard]] bool is_closing() const { return is_op(")") || is_op("]") || is_op("}"); }
};

using Tokens = std::vector<Token>;

struct LogicalLine {
    int line = 0;
    int indent = 0;  // columns; a tab goes to the next multiple of 8
    Tokens tokens;
    bool opens_block = false;  // its last token is a colon
};

class PythonSource {
public:
    explicit PythonSource(std::string_view text);

    // Reads the next line with a token. Lines with a deeper indent than `indent_max` keep only
    // their first tokens. Returns false at the end, and where the text is no Python: problem() then
    // gives the reason and line() the place.
    [[nodiscard]] bool next_line(LogicalLine& logical_line, int indent_max);

    [[nodiscard]] const std::string& problem() const { return problem_; }

    [[nodiscard]] int line() const { return line_; }

    // Returns true after a name that may open a namespace (`globals`, `exec`, `setattr`, ...).
    [[nodiscard]] bool names_namespace() const { return names_namespace_; }

private:
    bool stop(const std::string& problem);

    // Returns the byte at the position plus `offset`; 0 behind the end.
    [[nodiscard]] char peek(std::size_t offset = 0) const {
        return position_ + offset < text_.size() ? text_[position_ + offset] : '\0';
    }

    bool skip_to_token(LogicalLine& logical_line);
    void skip_comment();
    bool skip_newline();
    bool scan_token(LogicalLine& logical_line, std::size_t tokens_max);
    void scan_name();
    void scan_number();
    void scan_op();
    bool scan_brackets();
    [[nodiscard]] bool starts_string(std::size_t& quote) const;
    bool scan_string(std::size_t quote);
    bool skip_text(char quote, bool is_triple, bool is_raw, bool is_formatted);
    bool skip_replacement(int depth);
    bool skip_format(int depth);

    std::string_view text_;
    std::size_t position_ = 0;
    int line_ = 1;
    std::string brackets_;  // closing brackets of the open ones
    int nesting_ = 0;       // of strings in strings
    bool names_namespace_ = false;
    std::string problem_;
};

}  // namespace drydock::chain
