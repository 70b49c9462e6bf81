// Separates assignments from all other ways to bind a name.
//
// Python binds names by assignment, `:=`, `+=`, `import`, `def`, `class`, `for`, `with`, `except`,
// `match`, `del` and `global`. A plain assignment of a literal gives a value. Every other binding
// of a wanted name gives an error in place of a value. So does a later change of the value, as by
// `name[0] = x`. The rule is to refuse when in doubt: a wrong value would give a wrong verdict on a
// database.
//
// One statement is judged by its own text. python_module.cpp knows the blocks around it.
// python_rebinding.cpp finds the changes that name no target.
#include "chain/python_assignment.h"

#include "chain/python_rebinding.h"

#include <algorithm>

namespace drydock::chain {

namespace {

// Returns the first such operator outside of brackets; `end` if there is none.
const Token* find_op(const Token* begin, const Token* end, std::string_view op) {
    int depth = 0;
    for (const Token* token = begin; token != end; ++token) {
        if (depth == 0 && token->is_op(op)) {
            return token;
        }
        depth += token->is_opening() ? 1 : token->is_closing() ? -1 : 0;
    }
    return end;
}

// A half-open range of tokens.
struct Span {
    const Token* begin = nullptr;
    const Token* end = nullptr;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(end - begin); }
};

// Returns the parts between the operators outside of brackets. A part may be empty.
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

    // Most statements mention none of the names and are passed over. A chain of targets (`a = b =
    // "x"`) gives each target the last part.
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

    // Python normalizes identifiers (NFKC), so a name with full-width letters may be one of ours.
    // It is refused wherever it stands in the statement.
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
    // `match`) may bind them. With a body on the same line, the head counts as binding.
    [[nodiscard]] bool is_condition() const {
        const bool is_inline = !(span_.end - 1)->is_op(":");
        return !is_inline && (begins_with("if") || begins_with("elif") || begins_with("while"));
    }

    // Adds the wanted names among the first `count` tokens from `begin` on.
    void add(std::vector<const Token*>& bindings, const Token* begin, std::size_t count) const {
        for (const Token* token = begin; token != span_.end && count > 0; ++token, --count) {
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
            const bool has_alias = end - begin > 2 && (end - 2)->is_name("as");
            if (end != begin) {
                add(bindings, binds_first && !has_alias ? begin : end - 1, 1);
            }
        }
    }

    void refuse(const Token& name, const std::string& reason) {
        assignments_.push_back({std::string(name.text), name.line, no_value(reason)});
    }

    // Each wanted name in the target gets the error.
    void refuse_all(Span span, const std::string& reason) {
        for (const Token* token = span.begin; token != span.end; ++token) {
            if (is_ours(*token)) {
                refuse(*token, reason);
            }
        }
    }

    // `target` is a name, a name with its annotation, or names with commas between them. An
    // assignment to an element or attribute changes the name's value, which is then unknown. A
    // chain of targets allows no annotation.
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

    // `a, b = "x", "y"` gives both values. The number of items must match, no target may be
    // starred, and the value may not be a set, which has no order.
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

}  // namespace

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
