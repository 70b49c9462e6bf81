// Searches a text for words that may change a module's names from outside of an assignment.
//
// The search goes over all lines, also over the lines in functions. A function may look at its own
// names by `locals()`, or set attributes of other objects, so that such words count only outside of
// functions. `globals` and `exec` count everywhere. A word may be harmless: the search errs to the
// side of a doubt, which refuses a verdict and never gives a wrong one.
#include "chain/python_rebinding.h"

#include "chain/python_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace drydock::chain {

namespace {

constexpr int k_any_indent = std::numeric_limits<int>::max();

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// Keeps the indent of the outermost function, to know which lines are in one.
class DoubtFinder {
public:
    DoubtFinder(std::string_view text,
                const std::vector<std::string>& lists,
                std::string_view in_class)
        : source_(text)
        , lists_(lists)
        , in_class_(in_class) {}

    std::vector<Doubt> run() {
        LogicalLine line;
        while (source_.next_line(line, k_any_indent)) {
            leave_function(line);
            indent_ = line.indent;
            check(line.tokens);
            enter_function(line);
        }
        return std::move(doubts_);
    }

private:
    [[nodiscard]] bool is_in_function() const { return function_indent_ != k_any_indent; }

    // A line closes the function if it is not indented deeper than the `def`.
    void leave_function(const LogicalLine& line) {
        if (line.indent <= function_indent_) {
            function_indent_ = k_any_indent;
        }
    }

    void enter_function(const LogicalLine& line) {
        const Token& first = line.tokens.front();
        const bool is_function = first.is_name("def") || first.is_name("async");
        if (!is_in_function() && is_function && line.opens_block) {
            function_indent_ = line.indent;
        }
    }

    // Each name is checked alone, with its neighbours. One word gives one doubt at most.
    void check(const Tokens& tokens) {
        int depth = 0;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            const Token& token = tokens[i];
            depth += token.is_opening() ? 1 : token.is_closing() ? -1 : 0;
            if (token.kind != TokenKind::name) {
                continue;
            }
            if (opens_namespace(tokens, i)) {
                add(token, "may change the module's names; only running could tell");
            } else if (rebinds_class(tokens, i, depth)) {
                add(token, "is bound again; only running could tell which class it is");
            } else if (mentions_list(tokens, i, depth)) {
                add(token, "is a list that is named again; only running could tell its items");
            }
        }
    }

    void add(const Token& token, std::string_view text) {
        doubts_.push_back({token.line, fmt::format("`{}` {}", token.text, text)});
    }

    static bool is_at(const Tokens& tokens, std::size_t index, std::string_view op) {
        return index < tokens.size() && tokens[index].is_op(op);
    }

    // Returns true for the `b` of `a.b`.
    static bool is_attribute(const Tokens& tokens, std::size_t index) {
        return index > 0 && tokens[index - 1].is_op(".");
    }

    static bool has_name(const Tokens& tokens, std::string_view name) {
        return std::any_of(
            tokens.begin(), tokens.end(), [&](const Token& token) { return token.is_name(name); });
    }

    // Returns true for a word that reaches the module's namespace. Attributes of that name, and
    // keyword arguments such as `globals=`, are other things. `import_module` counts with
    // `__name__` beside it: then the module imports itself.
    [[nodiscard]] bool opens_namespace(const Tokens& tokens, std::size_t index) const {
        const std::string_view word = tokens[index].text;
        const bool is_free = !is_attribute(tokens, index);
        const bool is_call = is_free && is_at(tokens, index + 1, "(");
        if (word == "globals") {
            return is_free && !is_at(tokens, index + 1, "=");
        }
        if (word == "modules") {
            return (index > 1 && tokens[index - 2].is_name("sys"))
                   || (tokens.front().is_name("from") && has_name(tokens, "sys"));
        }
        if (word == "__getattr__") {
            return tokens.front().is_name("def") && indent_ == 0;
        }
        if (word == "__dict__" || is_one_of(word, {"locals", "vars", "setattr", "delattr"})) {
            return !is_in_function() && (word == "__dict__" || is_call);
        }
        return is_one_of(word, {"f_globals", "__setattr__"})
               || (is_call && is_one_of(word, {"exec", "eval"}))
               || (is_one_of(word, {"__import__", "import_module"})
                   && has_name(tokens, "__name__"));
    }

    // After `Migration = other` the tool takes another class than that of the file.
    [[nodiscard]] bool rebinds_class(const Tokens& tokens, std::size_t index, int depth) const {
        return !in_class_.empty() && !is_in_function() && depth == 0
               && tokens[index].is_name(in_class_) && !is_attribute(tokens, index)
               && is_at(tokens, index + 1, "=");
    }

    // Returns true for a mention that may change the list. Assignments to the name are followed
    // elsewhere, and parameters of a function are other names. In class mode names in functions are
    // local, but attributes of the class, or of `cls`, are not.
    [[nodiscard]] bool mentions_list(const Tokens& tokens, std::size_t index, int depth) const {
        if (std::find(lists_.begin(), lists_.end(), tokens[index].text) == lists_.end()) {
            return false;
        }
        if (is_attribute(tokens, index)) {
            const bool is_of_class =
                index > 1
                && (tokens[index - 2].is_name(in_class_) || tokens[index - 2].is_name("cls"));
            return !in_class_.empty() && (is_of_class || !is_in_function());
        }
        const bool is_unpacked =
            depth == 0 && is_at(tokens, index + 1, ",")
            && std::any_of(tokens.begin() + static_cast<std::ptrdiff_t>(index),
                           tokens.end(),
                           [](const Token& token) { return token.is_op("="); });
        const bool is_target =
            is_at(tokens, index + 1, "=") || is_at(tokens, index + 1, ":") || is_unpacked;
        const bool is_parameter = depth > 0 && tokens.front().is_name("def");
        return !is_target && !is_parameter && (in_class_.empty() || !is_in_function());
    }

    PythonSource source_;
    const std::vector<std::string>& lists_;
    std::string_view in_class_;
    int indent_ = 0;  // of the line
    int function_indent_ = k_any_indent;
    std::vector<Doubt> doubts_;
};

// Returns true for continuation bytes, and for first bytes of the blocks with characters that
// Python reads as ASCII letters.
bool may_be_compatible(char byte) {
    static constexpr std::string_view k_first = "\xC2\xC5\xCA\xE1\xE2\xEF\xF0";
    const bool is_first = (static_cast<unsigned char>(byte) >> 6U) == 3;
    return !is_first || k_first.find(byte) != std::string_view::npos;
}

}  // namespace

std::vector<Doubt> find_doubts(std::string_view text,
                               const std::vector<std::string>& lists,
                               std::string_view in_class) {
    return DoubtFinder(text, lists, in_class).run();
}

// The ASCII characters must appear in the name in this order. Others may stand for any letters in
// between, so that no table of Unicode is needed.
bool may_read_as(std::string_view spelled, std::string_view name) {
    bool is_ascii = true;
    for (const char byte : spelled) {
        if (byte < 0) {
            is_ascii = false;
            if (!may_be_compatible(byte)) {
                return false;
            }
            continue;
        }
        const auto position = name.find(byte);
        if (position == name.npos) {
            return false;
        }
        name.remove_prefix(position + 1);
    }
    return !is_ascii;
}

}  // namespace drydock::chain
