// YAML as a tree that keeps every position. The schemas check it and the readers decode it.
//
// Scalars stay text: "3.4" becomes no number and yes no boolean, as only the schema knows the type.
// Refused, with position: anchors, aliases, tags, duplicate keys, keys other than plain text. The
// same holds for nesting deeper than k_depth_max, files over k_file_size_max, and bytes that are
// not UTF-8.
#pragma once

#include "base/diagnostics.h"
#include "base/json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::pack {

inline constexpr int k_depth_max = 32;  // the deepest good file nests 12 deep
inline constexpr std::size_t k_file_size_max = 1024UL * 1024;  // bytes; etcd's pack has 30 kB

inline constexpr std::size_t k_keys_max = 4096;  // in one map; a large pack has 100 facts

struct Entry;

struct Node {
    enum class Kind { nothing, scalar, list, map };

    Kind kind = Kind::nothing;
    std::string scalar;
    bool is_quoted = false;  // a quoted scalar is never a number, true, false or nothing
    Position position;
    std::vector<Entry> entries;  // in the file's order; entries of a list have no key

    // Returns the value of the key, or a shared node of kind `nothing`.
    [[nodiscard]] const Node& operator[](std::string_view key) const;
    [[nodiscard]] const Entry* find(std::string_view key) const;

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
};

struct Entry {
    std::string key;
    Position position;  // of the key
    Node value;
};

// Returns the documents of a file. With `many` false, a second document is an error. Problems go to
// `diagnostics`; after a syntax error the result is empty.
[[nodiscard]] std::vector<Node>
parse_yaml(std::string_view text, const std::string& file, bool many, Diagnostics& diagnostics);

// Returns the node as JSON, typed by its spelling: 3 is an integer, 1.5 a number, true a boolean,
// the rest text.
[[nodiscard]] Json to_json(const Node& node);

}  // namespace drydock::pack
