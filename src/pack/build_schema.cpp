// Builders of schemas: the small functions of which schema_pack.cpp, schema_procedure.cpp and
// schema_cluster.cpp are composed.
//
// A schema is a value. Builders copy their parts into it, except for `inner` and `keys`. Those are
// shared pointers: a schema within a schema needs one, and the same part stands in many places.
#include "pack/value_schema.h"

namespace drydock::pack {

namespace {

using Kind = Schema::Kind;

Schema make_of_kind(Kind kind) {
    Schema schema;
    schema.kind = kind;
    return schema;
}

Schema make_nested(Kind kind, Schema inner) {
    Schema schema = make_of_kind(kind);
    schema.inner = std::make_shared<const Schema>(std::move(inner));
    return schema;
}

}  // namespace

Schema any() {
    return {};
}

Schema text() {
    return make_of_kind(Kind::text);
}

Schema name() {
    return make_of_kind(Kind::name);
}

Schema integer(std::int64_t minimum) {
    Schema schema = make_of_kind(Kind::integer);
    schema.minimum = minimum;
    return schema;
}

Schema boolean() {
    return make_of_kind(Kind::boolean);
}

Schema duration() {
    return make_of_kind(Kind::duration);
}

Schema version() {
    return make_of_kind(Kind::version);
}

Schema range() {
    return make_of_kind(Kind::range);
}

Schema choice(std::vector<std::string> choices) {
    Schema schema = make_of_kind(Kind::choice);
    schema.choices = std::move(choices);
    return schema;
}

Schema list_of(Schema inner) {
    return make_nested(Kind::list, std::move(inner));
}

// Pack authors write `when: {...}` for one condition and `when: [{...}, {...}]` for several;
// items_of() hides the difference from the decoders.
Schema one_or_more(Schema inner) {
    Schema schema = list_of(std::move(inner));
    schema.may_omit_brackets = true;
    return schema;
}

Schema map_of(Schema inner) {
    return make_nested(Kind::map, std::move(inner));
}

Schema map_of(Schema keys, Schema inner) {
    Schema schema = map_of(std::move(inner));
    schema.keys = std::make_shared<const Schema>(std::move(keys));
    return schema;
}

Schema table(std::vector<Field> fields, std::vector<std::string> exactly_one) {
    Schema schema = make_of_kind(Kind::table);
    schema.fields = std::move(fields);
    schema.exactly_one = std::move(exactly_one);
    return schema;
}

Schema either(Schema first, Schema second) {
    Schema schema = make_of_kind(Kind::one_of);
    schema.alternatives = {std::move(first), std::move(second)};
    return schema;
}

// The example is part of every required field: the message on a missing key shows it.
Field required(std::string key, Schema schema, std::string help, std::string example) {
    return {std::move(key), std::move(schema), std::move(help), std::move(example), true};
}

Field optional(std::string key, Schema schema, std::string help, std::string example) {
    return {std::move(key), std::move(schema), std::move(help), std::move(example), false};
}

}  // namespace drydock::pack
