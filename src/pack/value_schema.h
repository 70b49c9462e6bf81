// Schemas: the required form of a value in a file, written once, as data.
//
// A list of fields (key, schema, required, help, example) describes each kind of map. check()
// reports unknown, missing and wrong keys by it, and the JSON Schema is made from it. Decoders rely
// on check(): they read accepted values without looking again and skip reported ones, so that one
// run reports every problem.
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

struct Schema {
    enum class Kind {
        any,
        text,
        name,  // letters, digits, - and _, as ids and file names need it
        integer,
        boolean,
        duration,
        version,
        range,
        choice,
        list,    // its items follow `inner`
        map,     // any keys; the values follow `inner`
        table,   // keys of `fields`; other keys follow `inner`, if it is set
        one_of,  // the first of `alternatives` with the node's kind
    };

    Kind kind = Kind::any;
    std::vector<std::string> choices;
    std::vector<Field> fields;
    std::vector<std::string> exactly_one;  // a table has exactly one of these keys
    std::shared_ptr<const Schema> inner;   // shared between schemas, never changed
    std::vector<Schema> alternatives;
    std::shared_ptr<const Schema> keys;  // of a map's keys; null: any text
    bool may_omit_brackets = false;      // a list of one item may omit the brackets
    std::int64_t minimum = 0;
    std::string
        definition_name;  // its name in the JSON Schema's definitions; empty: written in place
};

struct Field {
    std::string key;
    Schema schema;
    std::string help;
    std::string example;  // a value in YAML
    bool required = false;
};

[[nodiscard]] Schema any();
[[nodiscard]] Schema text();
[[nodiscard]] Schema name();
[[nodiscard]] Schema integer(std::int64_t minimum = 0);
[[nodiscard]] Schema boolean();
[[nodiscard]] Schema duration();
[[nodiscard]] Schema version();
[[nodiscard]] Schema range();
[[nodiscard]] Schema choice(std::vector<std::string> choices);
[[nodiscard]] Schema list_of(Schema inner);
[[nodiscard]] Schema one_or_more(Schema inner);  // a list, or one item without brackets
[[nodiscard]] Schema map_of(Schema inner);
[[nodiscard]] Schema map_of(Schema keys, Schema inner);
[[nodiscard]] Schema table(std::vector<Field> fields, std::vector<std::string> exactly_one = {});
[[nodiscard]] Schema either(Schema first, Schema second);

[[nodiscard]] Field required(std::string key, Schema schema, std::string help, std::string example);
[[nodiscard]] Field
optional(std::string key, Schema schema, std::string help, std::string example = {});

// Reports every part of `node` that does not fit. `subject` names the node in sentences
// ("`attempts`").
void check(const Node& node,
           const Schema& schema,
           const std::string& subject,
           Diagnostics& diagnostics);

// Return the schema as JSON Schema, draft 7; root_json_schema() adds the definitions and the title.
[[nodiscard]] Json json_schema_of(const Schema& schema, const std::string& help = {});
[[nodiscard]] Json root_json_schema(const Schema& schema, const std::string& title);

// Return the value of a checked node; `fallback` if it is missing or was reported.
[[nodiscard]] std::string text_of(const Node& node, std::string_view fallback = {});
[[nodiscard]] std::vector<std::string> texts_of(const Node& node);
[[nodiscard]] std::int64_t integer_of(const Node& node, std::int64_t fallback = 0);
[[nodiscard]] bool boolean_of(const Node& node, bool fallback = false);
[[nodiscard]] std::int64_t duration_of(const Node& node, std::int64_t fallback_ms = 0);
// Returns the items of a list. Any other node that exists is its own only item (see one_or_more).
[[nodiscard]] std::vector<const Node*> items_of(const Node& node);

// Reports "unknown fact `raedy`; did you mean `ready`?", or lists the known names if none is near.
void report_unknown_name(Diagnostics& diagnostics,
                         const Position& position,
                         std::string_view kind,
                         const std::string& name,
                         const std::vector<std::string>& known_names);
// Returns "did you mean `x`?", or "known are `a`, `b`, `c`".
[[nodiscard]] std::string suggest(const std::string& name,
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

// Calls `visit` for every scalar at and below `node`.
void for_each_scalar(const Node& node, const std::function<void(const Node&)>& visit);

}  // namespace drydock::pack
