// Shapes: what a value in a file must look like, said once, as data.
//
// A table of fields (key, shape, required, help, example) describes each kind of map. From it come
// the check of a file (unknown, missing and wrong keys, each with its place and what to write
// instead) and the JSON Schema. What check() lets pass, the decoders may read without looking
// again; what it has reported, they may pass over, so that one run tells every problem.
#pragma once

#include "base/diagnostics.h"
#include "base/json.h"
#include "pack/yaml.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::pack {

struct Field;

struct Shape {
    enum class Kind {
        any,
        text,
        name,  // letters, digits, - and _: it becomes part of ids and file names
        integer,
        boolean,
        duration,
        version,
        range,
        choice,
        list,    // of `inner`
        map,     // of any key to `inner`
        table,   // of `fields`; other keys go by `inner`, if there is one
        either,  // the first of `alternatives` whose sort of node it is
    };

    Kind kind = Kind::any;
    std::vector<std::string> choices;
    std::vector<Field> fields;
    std::vector<std::string> exactly_one;  // of these keys of a table there must be one
    std::shared_ptr<const Shape> inner;    // shared between tables, never changed
    std::vector<Shape> alternatives;
    std::shared_ptr<const Shape> keys;  // a map's keys, if not any text
    bool single = false;                // a list may be written as its one item, without brackets
    std::int64_t least = 0;
    std::string defined;  // its name in a schema, if it is used in many places
};

struct Field {
    std::string key;
    Shape shape;
    std::string help;
    std::string example;  // a value as it is written in YAML
    bool required = false;
};

[[nodiscard]] Shape any();
[[nodiscard]] Shape text();
[[nodiscard]] Shape name();
[[nodiscard]] Shape integer(std::int64_t minimum = 0);
[[nodiscard]] Shape boolean();
[[nodiscard]] Shape duration();
[[nodiscard]] Shape version();
[[nodiscard]] Shape range();
[[nodiscard]] Shape choice(std::vector<std::string> choices);
[[nodiscard]] Shape list_of(Shape inner);
[[nodiscard]] Shape one_or_more(Shape inner);  // a list, or one item alone
[[nodiscard]] Shape map_of(Shape inner);
[[nodiscard]] Shape map_of(Shape keys, Shape inner);
[[nodiscard]] Shape table(std::vector<Field> fields, std::vector<std::string> exactly_one = {});
[[nodiscard]] Shape either(Shape first, Shape second);

[[nodiscard]] Field required(std::string key, Shape shape, std::string help, std::string example);
[[nodiscard]] Field
optional(std::string key, Shape shape, std::string help, std::string example = {});

// Reports everything in `node` that does not fit; `what` names the node in sentences
// ("`attempts`").
void check(const Node& node,
           const Shape& shape,
           const std::string& subject,
           Diagnostics& diagnostics);

// The shape as JSON Schema, draft 7.
[[nodiscard]] Json schema_of(const Shape& shape, const std::string& help = {});
[[nodiscard]] Json root_schema(const Shape& shape, const std::string& title);

// Values of a checked node; the fallback where it is missing or was reported.
[[nodiscard]] std::string text_of(const Node& node, std::string_view fallback = {});
[[nodiscard]] std::vector<std::string> texts_of(const Node& node);
[[nodiscard]] std::int64_t integer_of(const Node& node, std::int64_t fallback = 0);
[[nodiscard]] bool boolean_of(const Node& node, bool fallback = false);
[[nodiscard]] std::int64_t duration_of(const Node& node, std::int64_t fallback_ms = 0);
// The items of a list; of anything else that is there: the node itself (see one_or_more).
[[nodiscard]] std::vector<const Node*> items_of(const Node& node);

// "unknown fact `raedy`; did you mean `ready`?", or the known ones where none is near.
void unknown_name(Diagnostics& diagnostics,
                  const Position& position,
                  std::string_view kind,
                  const std::string& name,
                  const std::vector<std::string>& known_names);
// "did you mean `x`?", or "known: a, b, c".
[[nodiscard]] std::string meant(const std::string& name,
                                const std::vector<std::string>& known_names);

template <class Map>
std::vector<std::string> keys_of(const Map& map) {
    std::vector<std::string> keys;
    keys.reserve(map.size());
    for (const auto& entry : map) {
        keys.push_back(entry.first);
    }
    return keys;
}

// Calls `visit` for every scalar below (and at) `node`.
void for_each_scalar(const Node& node, const std::function<void(const Node&)>& visit);

}  // namespace drydock::pack
