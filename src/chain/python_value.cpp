// Reads literals, and separates assignments from all other ways to bind a name.
//
// Python binds names by assignment, `:=`, `+=`, `import`, `def`, `class`, `for`, `with`, `except`,
// `match`, `del` and `global`. A plain assignment of a literal gives a value. Every other binding
// of a wanted name gives an error in place of a value. So does a later change of the value
// (`name[0] = x`). The rule is to refuse when in doubt: a wrong value would give a wrong verdict on
// a database.
#include "chain/python_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace drydock::chain {

namespace {

constexpr int k_depth_max = 32;  // of sequences; ids stand one deep

tl::unexpected<Error> no_value(const std::string& reason) {
    return fail("chain.value", reason, "write it as a string, or as a tuple of strings");
}

bool opens(const Token& token) {
    return token.is_op("(") || token.is_op("[") || token.is_op("{");
}

bool closes(const Token& token) {
    return token.is_op(")") || token.is_op("]") || token.is_op("}");
}

// Returns the first such operator outside of brackets; `end` if there is none.
const Token* find_op(const Token* begin, const Token* end, std::string_view op) {
    int depth = 0;
    for (const Token* token = begin; token != end; ++token) {
        if (depth == 0 && token->is_op(op)) {
            return token;
        }
        depth += opens(*token) ? 1 : closes(*token) ? -1 : 0;
    }
    return end;
}

struct Span {
    const Token* begin = nullptr;
    const Token* end = nullptr;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end - begin); }
};

std::vector<Span> split_at(Span span, std::string_view op) {
    std::vector<Span> parts;
    for (const Token* token = find_op(span.begin, span.end, op); token != span.end;
         token = find_op(span.begin, span.end, op)) {
        parts.push_back({span.begin, token});
        span.begin = token + 1;
    }
    parts.push_back(span);
    return parts;
}

void append_utf8(std::string& text, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { text += static_cast<char>(value); };
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | (code >> 6));
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | (code >> 12));
        byte(0x80 | ((code >> 6) & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | (code >> 18));
        byte(0x80 | ((code >> 12) & 0x3F));
        byte(0x80 | ((code >> 6) & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
}

// Resolves the escapes of one string that is not raw, as Python's lexical analysis defines them.
class Escapes {
public:
    explicit Escapes(std::string_view text) : text_(text) {}

    Result<std::string> resolve() {
        while (at_ < text_.size()) {
            const char byte = text_[at_++];
            if (byte != '\\' || at_ == text_.size()) {
                result_ += byte;
            } else if (!escape(text_[at_++])) {
                return no_value("its string has an escape that is not understood");
            }
        }
        return result_;
    }

private:
    // An unknown escape keeps its backslash. \N{...} is refused: it needs a table of Unicode names.
    bool escape(char letter) {
        static constexpr std::string_view k_letters = "abfnrtv\\'\"";
        static constexpr std::string_view k_meanings = "\a\b\f\n\r\t\v\\'\"";
        if (const auto index = k_letters.find(letter); index != k_letters.npos) {
            result_ += k_meanings[index];
            return true;
        }
        if (letter == '\n' || letter == '\r') {
            at_ += letter == '\r' && at_ < text_.size() && text_[at_] == '\n' ? 1U : 0U;
            return true;
        }
        if (letter >= '0' && letter <= '7') {
            --at_;
            append_utf8(result_, *number(3, 8, 1));
            return true;
        }
        if (letter == 'x' || letter == 'u' || letter == 'U') {
            const std::size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
            const auto code = number(digits, 16, digits);
            return code && append(*code);
        }
        result_ += '\\';
        result_ += letter;
        return letter != 'N';
    }

    // Surrogates and code points above U+10FFFF have no UTF-8.
    bool append(std::uint32_t code) {
        const bool is_character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        if (is_character) {
            append_utf8(result_, code);
        }
        return is_character;
    }

    // Reads up to `digits_max` digits; returns nullopt if there are fewer than `digits_min`.
    std::optional<std::uint32_t>
    number(std::size_t digits_max, std::uint32_t base, std::size_t digits_min) {
        std::uint32_t value = 0;
        std::size_t digits = 0;
        for (; digits < digits_max && at_ < text_.size(); ++digits, ++at_) {
            static constexpr std::string_view k_digits = "0123456789abcdef";
            const char lower = static_cast<char>(text_[at_] | 0x20);
            const auto digit = k_digits.find(text_[at_] <= '9' ? text_[at_] : lower);
            if (digit == k_digits.npos || digit >= base) {
                break;
            }
            value = value * base + static_cast<std::uint32_t>(digit);
        }
        return digits < digits_min ? std::nullopt : std::optional(value);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string result_;
};

// A parser by recursive descent for sequences of strings and None. Depth is limited.
class Expression {
public:
    Expression(const Token* begin, const Token* end) : at_(begin), end_(end) {}

    Result<Value> read() {
        auto value = sequence(nullptr, 0);
        if (value && at_ != end_) {
            return no_value(
                fmt::format("only running the file could tell its value (`{}`)", at_->text));
        }
        return value;
    }

private:
    [[nodiscard]] bool stands_at(std::string_view op) const {
        return at_ != end_ && at_->is_op(op);
    }

    // Reads items with commas between them, up to `closing`. One item without a comma stands for
    // itself, as in Python, where ("x") is a string and ("x",) a tuple.
    Result<Value> sequence(const char* closing, int depth) {
        Value list = {Value::Kind::list, {}, {}};
        bool has_comma = false;
        while (at_ != end_ && (closing == nullptr || !stands_at(closing))) {
            DRYDOCK_TRY_ASSIGN(Value item, atom(depth));
            list.items.push_back(std::move(item));
            if (!stands_at(",")) {
                break;
            }
            has_comma = true;
            ++at_;
        }
        if (list.items.empty() && closing == nullptr) {
            return no_value("there is no value");
        }
        if (list.items.size() == 1 && !has_comma) {
            Value item = std::move(list.items.front());
            return item;
        }
        return list;
    }

    // Numbers get a message of their own: `revision = 1` looks right and is no id.
    Result<Value> atom(int depth) {
        if (depth > k_depth_max) {
            return no_value("its value is nested too deep");
        }
        if (at_->kind == TokenKind::string) {
            return strings();
        }
        if (at_->is_name("None")) {
            ++at_;
            return Value{};
        }
        if (at_->kind == TokenKind::number) {
            return no_value(fmt::format("`{}` is a number, no string", at_->text));
        }
        if (opens(*at_)) {
            return bracketed(depth);
        }
        return no_value(
            fmt::format("only running the file could tell its value (`{}`)", at_->text));
    }

    // Adjacent string literals are one string.
    Result<Value> strings() {
        Value value = {Value::Kind::text, {}, {}};
        for (; at_ != end_ && at_->kind == TokenKind::string; ++at_) {
            DRYDOCK_TRY_ASSIGN(const std::string text, text_of(*at_));
            value.text += text;
        }
        return value;
    }

    // Brackets and braces make a sequence even of one item; parentheses need a comma for it.
    Result<Value> bracketed(int depth) {
        const bool is_tuple = at_->is_op("(");
        const char* closing = is_tuple ? ")" : at_->is_op("[") ? "]" : "}";
        ++at_;
        DRYDOCK_TRY_ASSIGN(Value value, sequence(closing, depth + 1));
        if (!stands_at(closing)) {
            return no_value("only running the file could tell its value");
        }
        const bool had_comma = (at_ - 1)->is_op(",");
        ++at_;
        if (is_tuple
            || (value.kind == Value::Kind::list && (had_comma || value.items.size() != 1))) {
            return value;
        }
        return Value{Value::Kind::list, {}, {std::move(value)}};
    }

    const Token* at_;
    const Token* end_;
};

// Returns true for `+=` and the like: an operator that ends with "=" and compares nothing.
bool is_augmented(const Token& token) {
    static constexpr std::string_view k_comparing[] = {"=", "==", "!=", "<=", ">=", ":="};
    return token.kind == TokenKind::op && token.text.back() == '='
           && std::find(std::begin(k_comparing), std::end(k_comparing), token.text)
                  == std::end(k_comparing);
}

// One simple statement, or the head of a block.
class Statement {
public:
    Statement(Span span,
              bool is_head,
              const std::vector<std::string_view>& names,
              std::vector<Assignment>& assignments)
        : span_(span)
        , is_head_(is_head)
        , names_(names)
        , assignments_(assignments) {}

    // A statement that mentions none of the names is passed over, which is nearly every one.
    void read() {
        if (span_.size() == 0 || !mentions(span_)) {
            return;
        }
        for (const Token* name : bound_otherwise()) {
            refuse(*name, "it is bound in a way that only running could follow");
        }
        if (is_head_) {
            return;
        }
        const auto parts = split_at(span_, "=");
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            assign(parts[i], parts.back(), parts.size() == 2);
        }
    }

private:
    [[nodiscard]] bool is_ours(const Token& token) const {
        return token.kind == TokenKind::name
               && std::find(names_.begin(), names_.end(), token.text) != names_.end();
    }

    [[nodiscard]] bool mentions(Span span) const {
        return std::any_of(
            span.begin, span.end, [&](const Token& token) { return is_ours(token); });
    }

    [[nodiscard]] bool begins_with(std::string_view word) const {
        return span_.begin->is_name(word);
    }

    // Returns the wanted names that are bound in another way than by a plain assignment.
    [[nodiscard]] std::vector<const Token*> bound_otherwise() const {
        std::vector<const Token*> bindings = walruses();
        if (begins_with("import") || begins_with("from")) {
            add_imports(bindings);
        } else if (begins_with("def") || begins_with("class") || begins_with("async")) {
            const Token* name = span_.begin + (begins_with("async") ? 2 : 1);
            add(bindings, name < span_.end ? name : span_.end, 1);
        } else if (begins_with("for")) {
            const Token* end = std::find_if(
                span_.begin, span_.end, [](const Token& token) { return token.is_name("in"); });
            add(bindings, span_.begin, static_cast<std::size_t>(end - span_.begin));
        } else if (begins_with("del") || begins_with("global") || (is_head_ && !is_condition())) {
            add(bindings, span_.begin, span_.size());
        }
        return bindings;
    }

    // `if a:` only reads names, and so do `elif` and `while`. Other heads (`for`, `with`, `except`,
    // `match`) may bind them.
    [[nodiscard]] bool is_condition() const {
        const bool is_inline = !(span_.end - 1)->is_op(":");
        return !is_inline && (begins_with("if") || begins_with("elif") || begins_with("while"));
    }

    void add(std::vector<const Token*>& bindings, const Token* first, std::size_t count) const {
        for (const Token* token = first; token != span_.end && count > 0; ++token, --count) {
            if (is_ours(*token)) {
                bindings.push_back(token);
            }
        }
    }

    // Finds `name := x` and `name += x`, which may stand anywhere in a statement.
    [[nodiscard]] std::vector<const Token*> walruses() const {
        std::vector<const Token*> bindings;
        for (const Token* token = span_.begin; token + 1 < span_.end; ++token) {
            if (is_ours(*token) && (is_augmented(token[1]) || token[1].is_op(":="))) {
                bindings.push_back(token);
            }
        }
        return bindings;
    }

    // An import binds the name after `as`, else the imported name; of `import a.b` it binds `a`.
    void add_imports(std::vector<const Token*>& bindings) const {
        const Token* separator = std::find_if(
            span_.begin, span_.end, [](const Token& token) { return token.is_name("import"); });
        const bool binds_first = begins_with("import");
        while (separator != span_.end) {
            const Token* begin = separator + 1;
            separator =
                std::find_if(begin, span_.end, [](const Token& token) { return token.is_op(","); });
            const Token* end = separator;
            while (end != begin && (end - 1)->kind != TokenKind::name) {
                --end;
            }
            const bool renamed = end - begin > 2 && (end - 2)->is_name("as");
            if (end != begin) {
                add(bindings, binds_first && !renamed ? begin : end - 1, 1);
            }
        }
    }

    void refuse(const Token& name, const std::string& reason) {
        assignments_.push_back({std::string(name.text), name.line, no_value(reason)});
    }

    // Each name in the target gets the error.
    void refuse_all(Span span, const std::string& reason) {
        for (const Token* token = span.begin; token != span.end; ++token) {
            if (is_ours(*token)) {
                refuse(*token, reason);
            }
        }
    }

    // `target` is a name, a name with its annotation, or names with commas between them. An
    // assignment to an element or attribute changes the name's value, which is then unknown.
    void assign(Span target, Span value, bool may_annotate) {
        if (!mentions(target)) {
            return;
        }
        const Token& first = *target.begin;
        const bool is_annotated = target.size() > 1 && target.begin[1].is_op(":");
        if (target.size() == 1 || (is_annotated && may_annotate && is_ours(first))) {
            assignments_.push_back(
                {std::string(first.text), first.line, value_of(value.begin, value.end)});
            return;
        }
        const bool is_element =
            target.size() > 1 && (target.begin[1].is_op("[") || target.begin[1].is_op("."));
        if (is_element && find_op(target.begin, target.end, ",") == target.end) {
            if (is_ours(first)) {
                refuse(first, "it is changed after it was made");
            }
            return;
        }
        unpack(target, value);
    }

    // `a, b = "x", "y"` gives both values. The number of items must match, and no target may be
    // starred.
    void unpack(Span target, Span value) {
        auto targets = split_at(target, ",");
        if (targets.back().size() == 0) {
            targets.pop_back();
        }
        const bool plain = std::all_of(targets.begin(), targets.end(), [](const Span& part) {
            return part.size() == 1 && part.begin->kind == TokenKind::name;
        });
        const auto values = value_of(value.begin, value.end);
        if (!plain || !values || values->items.size() != targets.size()) {
            refuse_all(target, "it is unpacked from a value that only running could tell");
            return;
        }
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const Token& name = *targets[i].begin;
            if (is_ours(name)) {
                assignments_.push_back({std::string(name.text), name.line, values->items[i]});
            }
        }
    }

    Span span_;
    bool is_head_;
    const std::vector<std::string_view>& names_;
    std::vector<Assignment>& assignments_;
};

bool has_prefix_letter(std::string_view prefix, std::string_view letters) {
    return prefix.find_first_of(letters) != prefix.npos;
}

}  // namespace

// The prefix decides: bytes and templates are no strings, raw strings have no escapes, and an
// f-string without braces is plain text.
Result<std::string> text_of(const Token& token) {
    const auto quote = token.text.find_first_of("\"'");
    const std::string_view prefix = token.text.substr(0, quote);
    std::string_view body = token.text.substr(quote);
    const bool triple = body.size() >= 6 && body[1] == body[0] && body[2] == body[0];
    const std::size_t marks = triple ? 3 : 1;
    body = body.substr(marks, body.size() - 2 * marks);
    if (has_prefix_letter(prefix, "bB")) {
        return no_value("it is bytes, no string");
    }
    if (has_prefix_letter(prefix, "tT")) {
        return no_value("it is a template, no string");
    }
    if (has_prefix_letter(prefix, "fF") && body.find_first_of("{}") != body.npos) {
        return no_value("it is an f-string that only running could tell");
    }
    if (has_prefix_letter(prefix, "rR")) {
        return std::string(body);
    }
    return Escapes(body).resolve();
}

Result<Value> value_of(const Token* begin, const Token* end) {
    return Expression(begin, end).read();
}

Result<std::vector<std::string>> names_of(const Value& value) {
    std::vector<std::string> names;
    if (value.kind == Value::Kind::text) {
        names.push_back(value.text);
    }
    for (const Value& item : value.items) {
        if (item.kind != Value::Kind::text) {
            return no_value("its sequence holds something else than strings");
        }
        names.push_back(item.text);
    }
    if (std::find(names.begin(), names.end(), "") != names.end()) {
        return no_value("an id is empty");
    }
    return names;
}

// The head of a block has no plain assignments. A statement behind the colon of a head (`if x: a =
// 1`) may not be reached. It is read as part of the head.
std::vector<Assignment> assignments_of(const LogicalLine& line,
                                       const std::vector<std::string_view>& names) {
    std::vector<Assignment> assignments;
    const Token* begin = line.tokens.data();
    static constexpr std::string_view k_heads[] = {
        "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "match", "case"};
    const bool has_head_word =
        !line.tokens.empty() && begin->kind == TokenKind::name
        && std::find(std::begin(k_heads), std::end(k_heads), begin->text) != std::end(k_heads);
    const Span statement = {begin, begin + line.tokens.size()};
    const Token* colon = find_op(statement.begin, statement.end, ":");
    if (line.opens_block || (has_head_word && colon != statement.end)) {
        Statement(statement, true, names, assignments).read();
        return assignments;
    }
    for (const Span& part : split_at(statement, ";")) {
        Statement(part, false, names, assignments).read();
    }
    return assignments;
}

}  // namespace drydock::chain
