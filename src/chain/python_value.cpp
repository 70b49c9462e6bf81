// Reads literals: strings with their prefixes and escapes, None, and sequences of these.
//
// Expression is a parser by recursive descent over the tokens of one expression. It takes only
// literals, and every other token is an error with a reason for people. The rule is to refuse when
// in doubt: a wrong id or parent would give a wrong verdict on a database. The rules are in
// docs/chains.md ("How a file is read").
#include "chain/python_value.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace drydock::chain {

namespace {

constexpr int k_depth_max = 32;  // of sequences; ids stand one deep

// Appends the code point in UTF-8. The caller refuses surrogates and larger numbers.
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

    // A backslash at the very end stays as it is; the scanner lets none through.
    Result<std::string> resolve() {
        while (position_ < text_.size()) {
            const char byte = text_[position_++];
            if (byte != '\\' || position_ == text_.size()) {
                result_ += byte;
            } else if (!escape(text_[position_++])) {
                return no_value("its string has an escape that is not understood");
            }
        }
        return result_;
    }

private:
    // Resolves the escape that begins with `letter`; returns false if it cannot be resolved. An
    // unknown escape keeps its backslash. \N{...} is refused: it needs a table of Unicode names.
    bool escape(char letter) {
        static constexpr std::string_view k_letters = "abfnrtv\\'\"";
        static constexpr std::string_view k_meanings = "\a\b\f\n\r\t\v\\'\"";
        if (const auto index = k_letters.find(letter); index != k_letters.npos) {
            result_ += k_meanings[index];
            return true;
        }
        if (letter == '\n' || letter == '\r') {
            position_ +=
                letter == '\r' && position_ < text_.size() && text_[position_] == '\n' ? 1U : 0U;
            return true;
        }
        if (letter >= '0' && letter <= '7') {
            --position_;
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
        for (; digits < digits_max && position_ < text_.size(); ++digits, ++position_) {
            static constexpr std::string_view k_digits = "0123456789abcdef";
            const char lower = static_cast<char>(text_[position_] | 0x20);
            const auto digit = k_digits.find(text_[position_] <= '9' ? text_[position_] : lower);
            if (digit == k_digits.npos || digit >= base) {
                break;
            }
            value = value * base + static_cast<std::uint32_t>(digit);
        }
        return digits < digits_min ? std::nullopt : std::optional(value);
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string result_;
};

// A parser by recursive descent for sequences of strings and None. It stops at the first token that
// it cannot take, so the caller compares the position with the end.
class Expression {
public:
    Expression(const Token* begin, const Token* end) : token_(begin), end_(end) {}

    // Reads the whole expression. One item without a comma is the value itself: ("x") is a string
    // and ("x",) a tuple, with or without parentheses.
    Result<Value> read() {
        bool has_comma = false;
        auto value = sequence(nullptr, 0, has_comma);
        if (value && token_ != end_) {
            return no_value(
                fmt::format("only running the file could tell its value (`{}`)", token_->text));
        }
        return value && !has_comma ? only_item(std::move(*value)) : std::move(value);
    }

private:
    [[nodiscard]] bool stands_at(std::string_view op) const {
        return token_ != end_ && token_->is_op(op);
    }

    // Reads items with commas between them, up to `closing`. Without `closing` the expression has
    // no brackets, and must have an item.
    Result<Value> sequence(const char* closing, int depth, bool& has_comma) {
        Value list = {Value::Kind::list, {}, {}};
        while (token_ != end_ && (closing == nullptr || !stands_at(closing))) {
            DRYDOCK_TRY_ASSIGN(Value item, atom(depth));
            list.items.push_back(std::move(item));
            if (!stands_at(",")) {
                break;
            }
            has_comma = true;
            ++token_;
        }
        if (list.items.empty() && closing == nullptr) {
            return no_value("there is no value");
        }
        return list;
    }

    // Returns the only item of a list. Without items the value is an empty tuple.
    static Value only_item(Value list) {
        if (list.items.size() != 1) {
            return list;
        }
        Value item = std::move(list.items.front());
        return item;
    }

    // Depth is limited, because hostile brackets would end the stack. Numbers get a message of
    // their own: `revision = 1` looks right and is no id.
    Result<Value> atom(int depth) {
        if (depth > k_depth_max) {
            return no_value("its value is nested too deep");
        }
        if (token_->kind == TokenKind::string) {
            return strings();
        }
        if (token_->is_name("None")) {
            ++token_;
            return Value{};
        }
        if (token_->kind == TokenKind::number) {
            return no_value(fmt::format("`{}` is a number, no string", token_->text));
        }
        if (token_->is_opening()) {
            return bracketed(depth);
        }
        return no_value(
            fmt::format("only running the file could tell its value (`{}`)", token_->text));
    }

    // Adjacent string literals are one string.
    Result<Value> strings() {
        Value value = {Value::Kind::text, {}, {}};
        for (; token_ != end_ && token_->kind == TokenKind::string; ++token_) {
            DRYDOCK_TRY_ASSIGN(const std::string text, text_of(*token_));
            value.text += text;
        }
        return value;
    }

    // Brackets and braces make a sequence even of one item; parentheses need a comma for it.
    Result<Value> bracketed(int depth) {
        const bool is_tuple = token_->is_op("(");
        const bool is_set = token_->is_op("{");
        const char* closing = is_tuple ? ")" : token_->is_op("[") ? "]" : "}";
        ++token_;
        bool has_comma = false;
        DRYDOCK_TRY_ASSIGN(Value value, sequence(closing, depth + 1, has_comma));
        if (!stands_at(closing)) {
            return no_value("only running the file could tell its value");
        }
        ++token_;
        if (is_tuple) {
            return has_comma ? std::move(value) : only_item(std::move(value));
        }
        value.is_mutable = true;
        value.is_set = is_set;
        return value;
    }

    const Token* token_;
    const Token* end_;
};

bool has_prefix_letter(std::string_view prefix, std::string_view letters) {
    return prefix.find_first_of(letters) != prefix.npos;
}

}  // namespace

tl::unexpected<Error> no_value(const std::string& reason) {
    return fail("chain.value", reason, "write it as a string, or as a tuple of strings");
}

// The prefix decides: bytes and templates are no strings, raw strings have no escapes, and an
// f-string without braces is plain text.
Result<std::string> text_of(const Token& token) {
    const auto quote = token.text.find_first_of("\"'");
    const std::string_view prefix = token.text.substr(0, quote);
    std::string_view body = token.text.substr(quote);
    const bool is_triple = body.size() >= 6 && body[1] == body[0] && body[2] == body[0];
    const std::size_t marks = is_triple ? 3 : 1;
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

// None has neither text nor items, and gives an empty list.
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

}  // namespace drydock::chain
