// check(): compares a node with its schema and reports every difference, and the functions that
// read values of checked nodes.
//
// Each problem is reported once, at its place, with a suggestion. A misspelt key is reported as
// unknown, with the nearest known key, and therefore not as missing too (has_misspelling()). A node
// of the wrong kind is reported as a whole, without its inner problems. The value functions never
// fail: a missing or reported value gives the fallback. So the decoders need no error handling, and
// the other problems of the file are still found.
#include "pack/value_schema.h"

#include "base/text.h"
#include "model/version.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace drydock::pack {

namespace {

using Kind = Schema::Kind;

constexpr std::size_t k_names_shown = 16;  // longer lists are not read

// All other kinds are scalars; check() handles `any` and `either` before it asks.
Node::Kind node_kind(const Schema& schema) {
    if (schema.kind == Kind::list) {
        return Node::Kind::list;
    }
    return schema.kind == Kind::map || schema.kind == Kind::table ? Node::Kind::map
                                                                  : Node::Kind::scalar;
}

std::string quoted(const std::vector<std::string>& words) {
    std::vector<std::string> quoted_words;
    for (const std::string& word : words) {
        quoted_words.push_back("`" + word + "`");
    }
    return join(quoted_words, ", ");
}

// The texts complete "expected ..." in a suggestion.
std::string describe_expected_scalar(const Schema& schema) {
    switch (schema.kind) {
    case Kind::name:
        return "a name of letters, digits, `-` and `_`";
    case Kind::integer:
        return schema.minimum > 0 ? fmt::format("a whole number from {}", schema.minimum)
                                  : "a whole number";
    case Kind::boolean:
        return "true or false";
    case Kind::duration:
        return "a duration, as in 30s or 10m";
    case Kind::version:
        return "a version, as in \"3.5.16\"";
    case Kind::range:
        return "version bounds, as in \">=3.5.0 <3.6\"";
    case Kind::choice:
        return (schema.choices.size() > 1 ? "one of " : "") + quoted(schema.choices);
    case Kind::any:
    case Kind::text:
    case Kind::list:
    case Kind::map:
    case Kind::table:
    case Kind::one_of:
        break;
    }
    return "text";
}

// An `either` has two alternatives (see value_schema.h), and both are named. One may be an
// `either`.
std::string describe_expected(const Schema& schema) {
    if (schema.kind == Kind::one_of) {
        return describe_expected(schema.alternatives[0]) + ", or "
               + describe_expected(schema.alternatives[1]);
    }
    if (schema.kind == Kind::list) {
        return "a list, as in [a, b]";
    }
    if (schema.kind == Kind::map || schema.kind == Kind::table) {
        return schema.fields.empty()
                   ? "keys with values, as in {key: value}"
                   : fmt::format("keys with values, as in {{{}: ...}}", schema.fields.front().key);
    }
    return describe_expected_scalar(schema);
}

// Long scalars are cut: a whole document may stand where a word was expected.
std::string describe_node(const Node& node) {
    switch (node.kind) {
    case Node::Kind::nothing:
        return "nothing";
    case Node::Kind::list:
        return "a list";
    case Node::Kind::map:
        return "a map";
    case Node::Kind::scalar:
        break;
    }
    return node.scalar.empty() ? "empty text" : "`" + node.scalar.substr(0, 60) + "`";
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 64
           && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-_")
                  == text.npos;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_complete = end.ec == std::errc() && end.ptr == text.data() + text.size();
    return is_complete ? std::optional(number) : std::nullopt;
}

// Quotes matter for booleans only: "true" in quotes is text. Versions are often quoted, because
// other YAML readers turn 3.10 into 3.1.
bool scalar_fits(const Node& node, const Schema& schema) {
    const std::string& text = node.scalar;
    switch (schema.kind) {
    case Kind::name:
        return is_name(text);
    case Kind::integer:
        return whole_number(text).value_or(schema.minimum - 1) >= schema.minimum;
    case Kind::boolean:
        return !node.is_quoted && (text == "true" || text == "false");
    case Kind::duration:
        return parse_duration_ms(text).has_value();
    case Kind::version:
        return model::Version::parse(text).has_value();
    case Kind::range:
        return model::VersionRange::parse(text).has_value();
    case Kind::choice:
        return std::count(schema.choices.begin(), schema.choices.end(), text) > 0;
    case Kind::any:
    case Kind::text:
    case Kind::list:
    case Kind::map:
    case Kind::table:
    case Kind::one_of:
        break;
    }
    return true;
}

// Returns the words of a choice, or of the choices among alternatives.
std::vector<std::string> words_of(const Schema& schema) {
    std::vector<std::string> words = schema.choices;
    for (const Schema& alternative : schema.alternatives) {
        for (std::string& word : words_of(alternative)) {
            words.push_back(std::move(word));
        }
    }
    return words;
}

// A choice has few words, so the nearest one is suggested first.
void report_wrong_value(const Node& node,
                        const Schema& schema,
                        const std::string& subject,
                        Diagnostics& diagnostics) {
    const bool word = node.kind == Node::Kind::scalar;
    const std::string nearest_choice = word ? nearest(node.scalar, words_of(schema)) : "";
    diagnostics.error(
        "value.wrong",
        node.position,
        fmt::format("{} is {}", subject, describe_node(node)),
        (nearest_choice.empty() ? "" : fmt::format("did you mean `{}`? ", nearest_choice))
            + fmt::format("expected {}", describe_expected(schema)));
}

std::vector<std::string> field_keys(const Schema& schema) {
    std::vector<std::string> keys;
    for (const Field& field : schema.fields) {
        keys.push_back(field.key);
    }
    return keys;
}

// Keys of a table are looked up in `fields` first. With `inner` set, any other key is a name for
// the decoder to check, such as a store's.
void check_entry(const Entry& entry, const Schema& schema, Diagnostics& diagnostics) {
    const auto field =
        std::find_if(schema.fields.begin(), schema.fields.end(), [&](const Field& candidate) {
            return candidate.key == entry.key;
        });
    if (field != schema.fields.end()) {
        check(entry.value, field->schema, "`" + entry.key + "`", diagnostics);
    } else if (schema.inner) {
        check(entry.value, *schema.inner, "`" + entry.key + "`", diagnostics);
    } else {
        report_unknown_name(diagnostics, entry.position, "key", entry.key, field_keys(schema));
    }
}

// Returns true if one of `keys` is there with a typing error. "Did you mean" names it already, so
// that it does not count as missing.
bool has_misspelling(const Node& node, const Schema& schema, const std::vector<std::string>& keys) {
    const std::vector<std::string> field_names = field_keys(schema);
    return !schema.inner
           && std::any_of(node.entries.begin(), node.entries.end(), [&](const Entry& entry) {
                  const bool is_known = std::find(field_names.begin(), field_names.end(), entry.key)
                                        != field_names.end();
                  const std::string nearest_key = is_known ? "" : nearest(entry.key, field_names);
                  return std::find(keys.begin(), keys.end(), nearest_key) != keys.end();
              });
}

// Reports a second key of the group where it stands. A key given twice is the YAML reader's
// problem.
void check_one_of(const Node& node,
                  const Schema& schema,
                  const std::string& subject,
                  Diagnostics& diagnostics) {
    const Entry* first = nullptr;
    for (const Entry& entry : node.entries) {
        const auto& keys = schema.exactly_one;
        if (std::find(keys.begin(), keys.end(), entry.key) == keys.end()) {
            continue;
        }
        if (first != nullptr && first->key != entry.key) {
            diagnostics.error("key.conflict",
                              entry.position,
                              fmt::format("`{}` beside `{}`", entry.key, first->key),
                              "keep one of the two");
        }
        first = first == nullptr ? &entry : first;
    }
    if (first == nullptr && !schema.exactly_one.empty()
        && !has_misspelling(node, schema, schema.exactly_one)) {
        diagnostics.error("key.missing",
                          node.position,
                          fmt::format("{} has none of the keys of which it needs one", subject),
                          fmt::format("add one of {}", quoted(schema.exactly_one)));
    }
}

void check_table(const Node& node,
                 const Schema& schema,
                 const std::string& subject,
                 Diagnostics& diagnostics) {
    for (const Entry& entry : node.entries) {
        check_entry(entry, schema, diagnostics);
    }
    for (const Field& field : schema.fields) {
        if (field.required && !node.has(field.key) && !has_misspelling(node, schema, {field.key})) {
            diagnostics.error("key.missing",
                              node.position,
                              fmt::format("{} has no `{}` ({})", subject, field.key, field.help),
                              fmt::format("add it, as in `{}: {}`", field.key, field.example));
        }
    }
    check_one_of(node, schema, subject, diagnostics);
}

// Keys that become parts of ids and file names have a schema too; it is checked as if they were
// values.
void check_map(const Node& node, const Schema& schema, Diagnostics& diagnostics) {
    for (const Entry& entry : node.entries) {
        if (schema.keys) {
            const Node key = {Node::Kind::scalar, entry.key, false, entry.position, {}};
            check(key, *schema.keys, "the key", diagnostics);
        }
        check(entry.value, *schema.inner, "`" + entry.key + "`", diagnostics);
    }
}

void check_list(const Node& node,
                const Schema& schema,
                const std::string& subject,
                Diagnostics& diagnostics) {
    for (const Entry& entry : node.entries) {
        check(entry.value, *schema.inner, "an item of " + subject, diagnostics);
    }
}

// True if a list or a map is one of the alternatives, or of theirs.
bool has_kind(const Schema& schema, Node::Kind kind) {
    return schema.kind == Kind::one_of
               ? std::any_of(schema.alternatives.begin(),
                             schema.alternatives.end(),
                             [kind](const Schema& inner) { return has_kind(inner, kind); })
               : node_kind(schema) == kind;
}

}  // namespace

void check(const Node& node,
           const Schema& schema,
           const std::string& subject,
           Diagnostics& diagnostics) {
    if (schema.kind == Kind::any) {
        return;
    }
    // The kind of node chooses the alternative, unless both are scalars: `local` and a list of
    // words differ in kind. Inside a chosen list or map, problems are reported as usual.
    if (schema.kind == Kind::one_of) {
        for (const Schema& alternative : schema.alternatives) {
            const bool fitting = node.kind != Node::Kind::scalar || scalar_fits(node, alternative);
            if (has_kind(alternative, node.kind) && fitting) {
                return check(node, alternative, subject, diagnostics);
            }
        }
        return report_wrong_value(node, schema, subject, diagnostics);
    }
    // One item without brackets stands for a list of one.
    if (schema.may_omit_brackets && node.kind == node_kind(*schema.inner)) {
        return check(node, *schema.inner, subject, diagnostics);
    }
    if (node.kind != node_kind(schema)
        || (node.kind == Node::Kind::scalar && !scalar_fits(node, schema))) {
        return report_wrong_value(node, schema, subject, diagnostics);
    }
    if (schema.kind == Kind::table) {
        check_table(node, schema, subject, diagnostics);
    } else if (schema.kind == Kind::map) {
        check_map(node, schema, diagnostics);
    } else if (schema.kind == Kind::list) {
        check_list(node, schema, subject, diagnostics);
    }
}

std::string text_of(const Node& node, std::string_view fallback) {
    return node.kind == Node::Kind::scalar ? node.scalar : std::string(fallback);
}

std::vector<std::string> texts_of(const Node& node) {
    std::vector<std::string> texts;
    for (const Node* item : items_of(node)) {
        texts.push_back(text_of(*item));
    }
    return texts;
}

// Whole numbers only: "1e3" and "0x10" are reported by check() and give the fallback.
std::int64_t integer_of(const Node& node, std::int64_t fallback) {
    return node.kind == Node::Kind::scalar ? whole_number(node.scalar).value_or(fallback)
                                           : fallback;
}

bool boolean_of(const Node& node, bool fallback) {
    return node.kind == Node::Kind::scalar ? node.scalar == "true" : fallback;
}

std::int64_t duration_of(const Node& node, std::int64_t fallback_ms) {
    return node.kind == Node::Kind::scalar ? parse_duration_ms(node.scalar).value_or(fallback_ms)
                                           : fallback_ms;
}

// A node that is neither a list nor missing counts as a list of one.
std::vector<const Node*> items_of(const Node& node) {
    std::vector<const Node*> items;
    if (node.kind == Node::Kind::list) {
        for (const Entry& entry : node.entries) {
            items.push_back(&entry.value);
        }
    } else if (node.kind != Node::Kind::nothing) {
        items.push_back(&node);
    }
    return items;
}

// The nearest name is better than a list. Long lists are cut, with the number of names left out.
std::string suggest(const std::string& name, const std::vector<std::string>& known_names) {
    if (const std::string nearest_name = nearest(name, known_names); !nearest_name.empty()) {
        return fmt::format("did you mean `{}`?", nearest_name);
    }
    if (known_names.empty()) {
        return "there is none to name here";
    }
    const bool many = known_names.size() > k_names_shown;
    const auto shown = static_cast<std::ptrdiff_t>(std::min(known_names.size(), k_names_shown));
    return "known are " + quoted({known_names.begin(), known_names.begin() + shown})
           + (many ? fmt::format(" and {} more", known_names.size() - k_names_shown) : "");
}

void report_unknown_name(Diagnostics& diagnostics,
                         const Position& position,
                         std::string_view kind,
                         const std::string& name,
                         const std::vector<std::string>& known_names) {
    diagnostics.error(fmt::format("{}.unknown", kind),
                      position,
                      fmt::format("unknown {} `{}`", kind, name),
                      suggest(name, known_names));
}

void for_each_scalar(const Node& node, const std::function<void(const Node&)>& visit) {
    if (node.kind == Node::Kind::scalar) {
        visit(node);
    }
    for (const Entry& entry : node.entries) {
        for_each_scalar(entry.value, visit);
    }
}

}  // namespace drydock::pack
