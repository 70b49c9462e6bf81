// YAML as a tree that keeps every position: what the reader checks and decodes.
//
// Scalars stay text ("3.4" and yes are not turned into a number and a boolean); what a scalar means
// is decided by the shape that expects it. Refused, with position: anchors, aliases, tags,
// duplicate keys, keys that are not plain text, nesting deeper than k_depth_max, files over
// k_file_size_max, bytes that are not UTF-8.
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
    bool quoted = false;  // a quoted scalar is never a number, true, false or nothing
    Position where;
    std::vector<Entry> entries;  // in the file's order; a list's have no key

    // The entry's value, or a shared node that is nothing.
    [[nodiscard]] const Node& operator[](std::string_view key) const;
    [[nodiscard]] const Entry* find(std::string_view key) const;

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
};

struct Entry {
    std::string key;
    Position where;  // of the key
    Node value;
};

// The documents of a file. With `many` false, a second document is an error. Problems go to
// `diagnostics`; what could be read before a syntax error is not returned.
[[nodiscard]] std::vector<Node>
parse_yaml(std::string_view text, const std::string& file, bool many, Diagnostics& diagnostics);

// The node as JSON, typed by how it is written: 3 is an integer, 1.5 a number, true a boolean, the
// rest text.
[[nodiscard]] Json to_json(const Node& node);

}  // namespace drydock::pack
