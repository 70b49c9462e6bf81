// Reading literals, and telling assignments from all other ways to bind a name.
#include "chain/python_value.h"

#include "chain/python_rebinding.h"

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

// The first token at depth 0 that is this operator; `end` if there is none.
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
    for (const Token* separator = find_op(span.begin, span.end, op); separator != span.end;
         separator = find_op(span.begin, span.end, op)) {
        parts.push_back({span.begin, separator});
        span.begin = separator + 1;
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

// The escapes of one string that is not raw.
class Escapes {
public:
    explicit Escapes(std::string_view text) : text_(text) {}

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

    bool append(std::uint32_t code) {
        const bool is_character = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
        if (is_character) {
            append_utf8(result_, code);
        }
        return is_character;
    }

    // Up to `digits_max` digits; nothing if there are fewer than `digits_min`.
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

class Expression {
public:
    Expression(const Token* begin, const Token* end) : token_(begin), end_(end) {}

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

    // Items with commas between them, up to `closing`, as a list.
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

    // One item without a comma is itself; nothing at all is an empty tuple.
    static Value only_item(Value list) {
        if (list.items.size() != 1) {
            return list;
        }
        Value item = std::move(list.items.front());
        return item;
    }

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
        if (opens(*token_)) {
            return bracketed(depth);
        }
        return no_value(
            fmt::format("only running the file could tell its value (`{}`)", token_->text));
    }

    Result<Value> strings() {
        Value value = {Value::Kind::text, {}, {}};
        for (; token_ != end_ && token_->kind == TokenKind::string; ++token_) {
            DRYDOCK_TRY_ASSIGN(const std::string text, text_of(*token_));
            value.text += text;
        }
        return value;
    }

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

    void read() {
        refuse_compatible_spellings();
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
        if (parts.size() == 1 && is_ours(*span_.begin) && span_.size() > 1
            && span_.begin[1].is_op(".")) {
            refuse(*span_.begin, "it is changed after it was made");
        }
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

    void refuse_compatible_spellings() {
        for (const Token* token = span_.begin; token != span_.end; ++token) {
            if (token->kind != TokenKind::name) {
                continue;
            }
            for (const std::string_view name : names_) {
                if (may_read_as(token->text, name)) {
                    assignments_.push_back({std::string(name),
                                            token->line,
                                            no_value("Python may read `" + std::string(token->text)
                                                     + "` as this name")});
                }
            }
        }
    }

    // Our names that are bound otherwise than by a plain assignment.
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

    // `if a:` reads names only; so does `while`.
    [[nodiscard]] bool is_condition() const {
        const bool is_inline = !(span_.end - 1)->is_op(":");
        return !is_inline && (begins_with("if") || begins_with("elif") || begins_with("while"));
    }

    void add(std::vector<const Token*>& bindings, const Token* begin, std::size_t count) const {
        for (const Token* token = begin; token != span_.end && count > 0; ++token, --count) {
            if (is_ours(*token)) {
                bindings.push_back(token);
            }
        }
    }

    // `name := x` and `name += x`.
    [[nodiscard]] std::vector<const Token*> walruses() const {
        std::vector<const Token*> bindings;
        for (const Token* token = span_.begin; token + 1 < span_.end; ++token) {
            if (is_ours(*token) && (is_augmented(token[1]) || token[1].is_op(":="))) {
                bindings.push_back(token);
            }
        }
        return bindings;
    }

    // What an import binds: the name after `as`, else the imported name.
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
            const bool has_alias = end - begin > 2 && (end - 2)->is_name("as");
            if (end != begin) {
                add(bindings, binds_first && !has_alias ? begin : end - 1, 1);
            }
        }
    }

    void refuse(const Token& name, const std::string& reason) {
        assignments_.push_back({std::string(name.text), name.line, no_value(reason)});
    }

    void refuse_all(Span span, const std::string& reason) {
        for (const Token* token = span.begin; token != span.end; ++token) {
            if (is_ours(*token)) {
                refuse(*token, reason);
            }
        }
    }

    // `target`: a name, a name with its annotation, or names with commas between them.
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
            const Token& last = *(target.end - 1);
            if (is_ours(first) || (is_ours(last) && (&last)[-1].is_op("."))) {
                refuse(is_ours(first) ? first : last, "it is changed after it was made");
            }
            return;
        }
        unpack(target, value);
    }

    void unpack(Span target, Span value) {
        auto targets = split_at(target, ",");
        if (targets.back().size() == 0) {
            targets.pop_back();
        }
        const bool are_names = std::all_of(targets.begin(), targets.end(), [](const Span& part) {
            return part.size() == 1 && part.begin->kind == TokenKind::name;
        });
        const auto values = value_of(value.begin, value.end);
        if (!are_names || !values || values->is_set || values->items.size() != targets.size()) {
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

std::vector<Assignment> assignments_of(const LogicalLine& line,
                                       const std::vector<std::string_view>& names) {
    std::vector<Assignment> assignments;
    const Token* begin = line.tokens.data();
    static constexpr std::string_view k_heads[] = {
        "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "match", "case"};
    const bool has_head_word =
        !line.tokens.empty() && begin->kind == TokenKind::name
        && std::find(std::begin(k_heads), std::end(k_heads), begin->text) != std::end(k_heads);
    const Span whole = {begin, begin + line.tokens.size()};
    const Token* colon = find_op(whole.begin, whole.end, ":");
    if (line.opens_block || (has_head_word && colon != whole.end)) {
        Statement(whole, true, names, assignments).read();
        return assignments;
    }
    for (const Span& part : split_at(whole, ";")) {
        Statement(part, false, names, assignments).read();
    }
    return assignments;
}

}  // namespace drydock::chain
