// Builds the tree of nodes from the events of yaml-cpp, with the limits for untrusted files.
//
// yaml-cpp's own tree hides anchors and duplicate keys. Its events report each of these with a
// position, so that the parse can stop there, and at each limit. Size and encoding are checked
// before the parser sees the text. A problem ends the parse, as the rest of the file would be
// misread. Only a duplicate key is reported without ending the parse.
#include "pack/yaml.h"

#include "base/check.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace drydock::pack {

const Entry* Node::find(std::string_view key) const {
    const auto match = std::find_if(
        entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return kind != Kind::map || match == entries.end() ? nullptr : &*match;
}

const Node& Node::operator[](std::string_view key) const {
    static const Node k_nothing;
    const Entry* entry = find(key);
    return entry == nullptr ? k_nothing : entry->value;
}

namespace {

// Ends the parse from inside a callback of yaml-cpp. parse_yaml() catches it; it never leaves this
// file.
struct Refused {};

// Invariant: `open_` is the path from the root to the innermost list or map that is not closed.
class Builder : public YAML::EventHandler {
public:
    Builder(const std::string& file, Diagnostics& diagnostics)
        : file_(file)
        , diagnostics_(diagnostics) {}

    Node root;

    void OnDocumentStart(const YAML::Mark&) override { root = {}; }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(mark, "?", anchor, {Node::Kind::nothing, {}, false, place(mark), {}});
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse("yaml.alias", mark, "an alias (`*name`) is not allowed", "write the value out");
    }

    void OnScalar(const YAML::Mark& mark,
                  const std::string& tag,
                  YAML::anchor_t anchor,
                  const std::string& value) override {
        add(mark, tag, anchor, {Node::Kind::scalar, value, tag == "!", place(mark), {}});
    }

    void OnSequenceStart(const YAML::Mark& mark,
                         const std::string& tag,
                         YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::list);
    }

    void OnSequenceEnd() override { open_.pop_back(); }

    void OnMapStart(const YAML::Mark& mark,
                    const std::string& tag,
                    YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, Node::Kind::map);
    }

    void OnMapEnd() override { open_.pop_back(); }

private:
    // A list or map that is not closed. Its node stays in place while it is open: only the
    // innermost one grows.
    struct Open {
        Node* node;
        bool wants_value = false;  // true in a map after a key, before its value
    };

    [[nodiscard]] Position place(const YAML::Mark& mark) const {
        return {file_, mark.line + 1, mark.column + 1};
    }

    [[noreturn]] void
    refuse(const char* code, const YAML::Mark& mark, std::string summary, const char* suggestion) {
        diagnostics_.error(code, place(mark), std::move(summary), suggestion);
        throw Refused();
    }

    void
    open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node::Kind kind) {
        if (open_.size() >= static_cast<std::size_t>(k_depth_max)) {
            refuse("yaml.depth",
                   mark,
                   fmt::format("nested deeper than {} levels", k_depth_max),
                   "a pack or cluster file needs about 12: look for a bracket too many");
        }
        open_.push_back({&add(mark, tag, anchor, {kind, {}, false, place(mark), {}})});
    }

    // Adds a node to the innermost open list or map. In a map the nodes alternate: key, value, key,
    // value. The tags "?" and "!" are yaml-cpp's own, for plain and for quoted scalars.
    Node& add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Node node) {
        if (anchor != YAML::NullAnchor) {
            refuse(
                "yaml.anchor", mark, "an anchor (`&name`) is not allowed", "write the value out");
        }
        if (!tag.empty() && tag != "?" && tag != "!") {
            refuse("yaml.tag",
                   mark,
                   fmt::format("the tag `{}` is not allowed", tag),
                   "remove it; what a value is follows from its key");
        }
        if (open_.empty()) {
            return root = std::move(node);
        }
        Open& parent = open_.back();
        std::vector<Entry>& entries = parent.node->entries;
        if (parent.node->kind == Node::Kind::list) {
            return entries.emplace_back(Entry{{}, node.position, std::move(node)}).value;
        }
        parent.wants_value = !parent.wants_value;
        if (parent.wants_value) {
            add_key(mark, *parent.node, node);
            return entries.back().value;
        }
        return entries.back().value = std::move(node);
    }

    // The number of keys is limited, because find() is linear: the search for duplicates takes its
    // square.
    void add_key(const YAML::Mark& mark, Node& map, const Node& key) {
        if (key.kind != Node::Kind::scalar) {
            refuse("yaml.key", mark, "a key must be text", "put text before the colon");
        }
        if (map.entries.size() >= k_keys_max) {
            refuse("yaml.keys",
                   mark,
                   fmt::format("more than {} keys in one map", k_keys_max),
                   "is this the right file?");
        }
        if (const Entry* first = map.find(key.scalar)) {
            diagnostics_.error(
                "key.duplicate",
                key.position,
                fmt::format("`{}` is given twice", key.scalar),
                fmt::format("remove one; the first is at {}", first->position.text()));
        }
        map.entries.push_back({key.scalar, key.position, {}});
        map.entries.back().value.position = key.position;
    }

    const std::string& file_;
    Diagnostics& diagnostics_;
    std::vector<Open> open_;
};

// Returns the length of the UTF-8 sequence at the front of `text`; 0 if RFC 3629 does not allow it.
// Overlong forms, surrogates and code points above U+10FFFF are refused.
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t length = lead < 0xC2   ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80) {
            return 0;
        }
    }
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool no_character = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
    return overlong || no_character ? 0 : length;
}

// Returns the position of the first byte that is no UTF-8, or is a NUL: yaml-cpp takes NUL for the
// end.
std::optional<Position> bad_byte(std::string_view text, const std::string& file) {
    Position position = {file, 1, 1};
    while (!text.empty()) {
        const std::size_t length = text.front() == '\0' ? 0 : sequence(text);
        if (length == 0) {
            return position;
        }
        position = text.front() == '\n' ? Position{file, position.line + 1, 1}
                                        : Position{file, position.line, position.column + 1};
        text.remove_prefix(length);
    }
    return std::nullopt;
}

bool acceptable(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
    if (text.size() > k_file_size_max) {
        diagnostics.error("file.size",
                          {file, 1, 1},
                          fmt::format("the file has {} bytes, more than 1 MiB", text.size()),
                          "a pack or cluster file has a few kB: is this the right file?");
        return false;
    }
    if (const auto position = bad_byte(text, file)) {
        diagnostics.error(
            "file.utf8", *position, "a byte that is not UTF-8 text", "save the file as UTF-8");
        return false;
    }
    return true;
}

}  // namespace

std::vector<Node>
parse_yaml(std::string_view text, const std::string& file, bool many, Diagnostics& diagnostics) {
    std::vector<Node> documents;
    if (!acceptable(text, file, diagnostics)) {
        return documents;
    }
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        Builder builder(file, diagnostics);
        while (parser.HandleNextDocument(builder)) {
            documents.push_back(std::move(builder.root));
        }
    } catch (const Refused&) {
        return {};  // reported by refuse()
    } catch (const YAML::Exception& problem) {
        diagnostics.error("yaml.syntax",
                          {file, std::max(1, problem.mark.line + 1), problem.mark.column + 1},
                          fmt::format("this is no YAML: {}", problem.msg),
                          "look at this line and the one before it: indentation, quotes, brackets");
        return {};
    }
    if (documents.size() > 1 && !many) {
        diagnostics.error("yaml.documents",
                          documents[1].position,
                          "a second document in a file that holds one",
                          "remove the `---`");
    }
    if (documents.empty()) {
        // An empty file is a document without content, so that missing keys are reported.
        documents.push_back({Node::Kind::nothing, {}, false, {file, 1, 1}, {}});
    }
    return documents;
}

namespace {

Json scalar_to_json(const Node& node) {
    const std::string& text = node.scalar;
    if (node.is_quoted) {
        return text;
    }
    if (text == "true" || text == "false") {
        return text == "true";
    }
    // JSON's own grammar decides on numbers: 007 and 0x10 stay text.
    const bool numeric = text.find_first_not_of("-+.0123456789eE") == text.npos;
    if (numeric) {
        if (auto number = Json::parse(text)) {
            return *std::move(number);
        }
    }
    return text;
}

}  // namespace

Json to_json(const Node& node) {
    if (node.kind == Node::Kind::scalar) {
        return scalar_to_json(node);
    }
    if (node.kind == Node::Kind::list) {
        Json::Array items;
        for (const Entry& entry : node.entries) {
            items.push_back(to_json(entry.value));
        }
        return items;
    }
    if (node.kind == Node::Kind::map) {
        Json::Object object;
        for (const Entry& entry : node.entries) {
            object.insert_or_assign(entry.key, to_json(entry.value));
        }
        return object;
    }
    return {};
}

}  // namespace drydock::pack
