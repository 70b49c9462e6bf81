// The scanner of Python. Strings are the hard part: since 3.12 an f-string may hold its own quotes
// again inside its braces, so braces are followed as nested text.
//
// The whole file is scanned, because a later line may bind a name again. Every loop takes at least
// one byte, and nesting is limited, so that hostile texts end. After an error the scanner is not
// used again: next_line() returned false, and problem() has the reason.
#include "chain/python_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace drydock::chain {

namespace {

constexpr int k_nesting_max = 64;             // f-strings in f-strings; Python allows fewer
constexpr std::size_t k_brackets_max = 1000;  // Python's own limit is 200
constexpr int k_tab = 8;
constexpr std::size_t k_few = 4;  // tokens that weigh() needs of a line in a function
constexpr std::size_t k_all = std::numeric_limits<std::size_t>::max();

// Every byte from 0x80 counts as part of a name: Python allows letters of all scripts.
constexpr std::array<bool, 256> make_name_bytes() {
    std::array<bool, 256> table{};
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || (i >= '0' && i <= '9')
                   || i == '_' || i >= 0x80;
    }
    return table;
}

constexpr std::array<bool, 256> k_name_bytes = make_name_bytes();

bool is_name_byte(char byte) {
    return k_name_bytes[static_cast<std::uint8_t>(byte)];
}

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

// By length first: it is asked of every name.
bool may_open_namespace(std::string_view name) {
    switch (name.size()) {
    case 4:
        return name == "exec" || name == "eval" || name == "vars";
    case 6:
        return name == "locals";
    case 7:
        return name == "globals" || name == "setattr" || name == "delattr" || name == "modules";
    case 8:
        return name == "__dict__";
    case 9:
        return name == "f_globals";
    case 10:
        return name == "__import__";
    case 11:
        return name == "__getattr__" || name == "__setattr__";
    case 13:
        return name == "import_module";
    default:
        return false;
    }
}

char closing_of(char open) {
    return open == '(' ? ')' : open == '[' ? ']' : '}';
}

}  // namespace

PythonSource::PythonSource(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") {
        position_ = 3;
    }
}

bool PythonSource::stop(const std::string& problem) {
    problem_ = problem;
    return false;
}

void PythonSource::skip_comment() {
    const auto end = text_.find_first_of("\r\n", position_);
    position_ = end == text_.npos ? text_.size() : end;
}

// Accepts the line ends of all systems: LF, CR LF, CR.
bool PythonSource::skip_newline() {
    if (peek() != '\n' && peek() != '\r') {
        return false;
    }
    position_ += peek() == '\r' && peek(1) == '\n' ? 2U : 1U;
    ++line_;
    return true;
}

// Goes to the first token of the next line with a token, and measures the line's indent.
bool PythonSource::skip_to_token(LogicalLine& logical_line) {
    logical_line.indent = 0;
    for (; position_ < text_.size(); ++position_) {
        while (skip_newline()) {
            logical_line.indent = 0;
        }
        if (peek() == '#') {
            skip_comment();
            --position_;  // the loop steps over one byte
        } else if (peek() == '\t') {
            logical_line.indent = (logical_line.indent / k_tab + 1) * k_tab;
        } else if (peek() == '\f') {
            logical_line.indent = 0;
        } else if (peek() == ' ') {
            ++logical_line.indent;
        } else {
            break;
        }
    }
    return position_ < text_.size();
}

// A logical line ends at a line end outside of brackets and strings and without a backslash before
// it.
bool PythonSource::next_line(LogicalLine& logical_line, int indent_max) {
    logical_line.tokens.clear();
    logical_line.opens_block = false;
    if (!skip_to_token(logical_line)) {
        return false;
    }
    logical_line.line = line_;
    const std::size_t tokens_max = logical_line.indent > indent_max ? k_few : k_all;
    while (position_ < text_.size()) {
        const char byte = peek();
        if (byte == ' ' || byte == '\t' || byte == '\f') {
            ++position_;
        } else if (byte == '#') {
            skip_comment();
        } else if (byte == '\n' || byte == '\r') {
            skip_newline();
            if (brackets_.empty()) {
                return true;
            }
        } else if (byte == '\\') {
            ++position_;
            if (!skip_newline()) {
                return stop("a backslash that no line end follows");
            }
        } else if (!scan_token(logical_line, tokens_max)) {
            return false;
        }
    }
    return brackets_.empty() || stop("the file ends in a bracket");
}

// Only the last token shows if a line opens a block, so that each token sets `opens_block` anew.
// `global` lines keep all tokens, because they name the module's names.
bool PythonSource::scan_token(LogicalLine& logical_line, std::size_t tokens_max) {
    const std::size_t begin = position_;
    const int line = line_;
    std::size_t quote = 0;
    auto kind = TokenKind::op;
    if (starts_string(quote)) {
        kind = TokenKind::string;
        if (!scan_string(quote)) {
            return false;
        }
    } else if (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) {
        kind = TokenKind::number;
        scan_number();
    } else if (is_name_byte(peek())) {
        kind = TokenKind::name;
        scan_name();
        names_namespace_ |= may_open_namespace(text_.substr(begin, position_ - begin));
    } else if (!scan_brackets()) {
        return false;
    }
    const std::string_view text = text_.substr(begin, position_ - begin);
    logical_line.opens_block = kind == TokenKind::op && text == ":" && brackets_.empty();
    const bool is_global =
        !logical_line.tokens.empty() && logical_line.tokens.front().is_name("global");
    if (logical_line.tokens.size() < tokens_max || is_global) {
        logical_line.tokens.push_back({kind, text, line});
    }
    return true;
}

void PythonSource::scan_name() {
    while (position_ < text_.size() && is_name_byte(text_[position_])) {
        ++position_;
    }
}

void PythonSource::scan_number() {
    while (position_ < text_.size()
           && (is_name_byte(text_[position_]) || text_[position_] == '.')) {
        ++position_;
    }
}

// Scans an operator, which may open or close a bracket. A mismatch ends the reading: the text is no
// Python, or the scanner lost its way.
bool PythonSource::scan_brackets() {
    const char byte = peek();
    if (byte == '(' || byte == '[' || byte == '{') {
        brackets_ += closing_of(byte);
        ++position_;
        return brackets_.size() <= k_brackets_max || stop("too many brackets are open");
    }
    if (byte == ')' || byte == ']' || byte == '}') {
        if (brackets_.empty() || brackets_.back() != byte) {
            return stop(fmt::format("a `{}` that closes nothing", byte));
        }
        brackets_.pop_back();
        ++position_;
        return true;
    }
    if (static_cast<std::uint8_t>(byte) < 0x20 || byte == '$' || byte == '?' || byte == 0x7F) {
        return stop("a byte that Python does not know");
    }
    scan_op();
    return true;
}

// Operators of two characters are single tokens, because `==` and `:=` are no assignments.
void PythonSource::scan_op() {
    static constexpr std::string_view k_doubled = "*/<>";
    static constexpr std::string_view k_before_equals = "=!<>:+-*/%&|^@";
    if (peek() == '-' && peek(1) == '>') {
        position_ += 2;
        return;
    }
    const char first = peek();
    ++position_;
    if (k_doubled.find(first) != k_doubled.npos && peek() == first) {
        ++position_;
    }
    if (k_before_equals.find(first) != k_before_equals.npos && peek() == '=') {
        ++position_;
    }
}

// Returns true if a string begins here; `quote` is then the offset of its first quote. A prefix has
// at most two letters.
bool PythonSource::starts_string(std::size_t& quote) const {
    static constexpr std::string_view k_letters = "rRuUbBfFtT";
    for (quote = 0; quote <= 2; ++quote) {
        const char byte = peek(quote);
        if (byte == '"' || byte == '\'') {
            return true;
        }
        if (byte == '\0' || k_letters.find(byte) == k_letters.npos) {
            return false;
        }
    }
    return false;
}

// Strings in f-strings come back here by skip_replacement(), so that the depth is counted.
bool PythonSource::scan_string(std::size_t quote) {
    if (nesting_ > k_nesting_max) {
        return stop("strings are nested too deep");
    }
    ++nesting_;
    const std::string_view prefix = text_.substr(position_, quote);
    const bool is_raw = prefix.find_first_of("rR") != prefix.npos;
    const bool is_formatted = prefix.find_first_of("fFtT") != prefix.npos;
    position_ += quote;
    const char mark = peek();
    const bool is_triple = peek(1) == mark && peek(2) == mark;
    position_ += is_triple ? 3 : 1;
    const bool is_closed = skip_text(mark, is_triple, is_raw, is_formatted);
    --nesting_;
    return is_closed;
}

// Goes behind the closing quotes. A problem is reported at the line where the string began.
bool PythonSource::skip_text(char quote, bool is_triple, bool is_raw, bool is_formatted) {
    const int first_line = line_;
    const auto refuse_open_string = [&] {
        line_ = first_line;
        return stop("a string that does not end");
    };
    while (position_ < text_.size()) {
        const char byte = peek();
        if (byte == quote && (!is_triple || (peek(1) == quote && peek(2) == quote))) {
            position_ += is_triple ? 3 : 1;
            return true;
        }
        if (byte == '\\' && is_formatted && !is_raw && peek(1) == 'N' && peek(2) == '{') {
            const auto end = text_.find('}', position_);
            position_ = end == text_.npos ? text_.size() : end + 1;
        } else if (byte == '\\' && (!is_formatted || peek(1) != '{')) {
            ++position_;
            if (!skip_newline()) {
                ++position_;
            }
        } else if (byte == '\n' || byte == '\r') {
            if (!is_triple) {
                return refuse_open_string();
            }
            skip_newline();
        } else if (is_formatted && byte == '{' && peek(1) == '{') {
            position_ += 2;
        } else if (is_formatted && byte == '{') {
            ++position_;
            if (!skip_replacement(1)) {
                return false;
            }
        } else {
            ++position_;
        }
    }
    position_ = std::min(position_, text_.size());
    return refuse_open_string();
}

// Goes from behind the `{` of an f-string's expression to behind its `}`. A quote in it begins a
// string of its own; a colon outside of brackets begins the format.
bool PythonSource::skip_replacement(int depth) {
    if (depth > k_nesting_max) {
        return stop("f-strings are nested too deep");
    }
    int open = 0;
    while (position_ < text_.size()) {
        std::size_t quote = 0;
        const char byte = peek();
        const bool in_word = position_ > 0 && is_name_byte(text_[position_ - 1]);
        if ((byte == '"' || byte == '\'' || !in_word) && starts_string(quote)) {
            if (!scan_string(quote)) {
                return false;
            }
            continue;
        }
        if (byte == '}' && open == 0) {
            ++position_;
            return true;
        }
        if (byte == ':' && open == 0) {
            ++position_;
            return skip_format(depth);
        }
        if (byte == '#') {
            skip_comment();
        } else if (!skip_newline()) {
            open += byte == '(' || byte == '[' || byte == '{' ? 1 : 0;
            open -= byte == ')' || byte == ']' || byte == '}' ? 1 : 0;
            ++position_;
        }
    }
    return stop("an f-string that does not end");
}

// Goes from behind the `:` of an f-string's expression to behind its `}`. A format may hold
// expressions.
bool PythonSource::skip_format(int depth) {
    while (position_ < text_.size()) {
        if (peek() == '}') {
            ++position_;
            return true;
        }
        if (peek() == '{') {
            ++position_;
            if (!skip_replacement(depth + 1)) {
                return false;
            }
        } else if (!skip_newline()) {
            ++position_;
        }
    }
    return stop("an f-string that does not end");
}

}  // namespace drydock::chain
