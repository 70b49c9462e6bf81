// Builders of schemas: the small functions of which schema_pack.cpp, schema_procedure.cpp and
// schema_cluster.cpp are composed.
//
// A schema is a value. Builders copy their parts into it, except for `inner` and `keys`. Those are
// shared pointers: a schema within a schema needs one, and the same part stands in many places.
#include "pack/shape.h"

namespace drydock::pack {

namespace {

using Kind = Shape::Kind;

Shape of_kind(Kind kind) {
    Shape schema;
    schema.kind = kind;
    return schema;
}

Shape around(Kind kind, Shape inner) {
    Shape schema = of_kind(kind);
    schema.inner = std::make_shared<const Shape>(std::move(inner));
    return schema;
}

}  // namespace

Shape any() {
    return {};
}

Shape text() {
    return of_kind(Kind::text);
}

Shape name() {
    return of_kind(Kind::name);
}

Shape integer(std::int64_t minimum) {
    Shape schema = of_kind(Kind::integer);
    schema.least = minimum;
    return schema;
}

Shape boolean() {
    return of_kind(Kind::boolean);
}

Shape duration() {
    return of_kind(Kind::duration);
}

Shape version() {
    return of_kind(Kind::version);
}

Shape range() {
    return of_kind(Kind::range);
}

Shape choice(std::vector<std::string> choices) {
    Shape schema = of_kind(Kind::choice);
    schema.choices = std::move(choices);
    return schema;
}

Shape list_of(Shape inner) {
    return around(Kind::list, std::move(inner));
}

// Pack authors write `when: {...}` for one condition and `when: [{...}, {...}]` for several;
// items_of() hides the difference from the decoders.
Shape one_or_more(Shape inner) {
    Shape schema = list_of(std::move(inner));
    schema.single = true;
    return schema;
}

Shape map_of(Shape inner) {
    return around(Kind::map, std::move(inner));
}

Shape map_of(Shape keys, Shape inner) {
    Shape schema = map_of(std::move(inner));
    schema.keys = std::make_shared<const Shape>(std::move(keys));
    return schema;
}

Shape table(std::vector<Field> fields, std::vector<std::string> exactly_one) {
    Shape schema = of_kind(Kind::table);
    schema.fields = std::move(fields);
    schema.exactly_one = std::move(exactly_one);
    return schema;
}

Shape either(Shape first, Shape second) {
    Shape schema = of_kind(Kind::either);
    schema.alternatives = {std::move(first), std::move(second)};
    return schema;
}

// The example is part of every required field: the message on a missing key shows it.
Field required(std::string key, Shape schema, std::string help, std::string example) {
    return {std::move(key), std::move(schema), std::move(help), std::move(example), true};
}

Field optional(std::string key, Shape schema, std::string help, std::string example) {
    return {std::move(key), std::move(schema), std::move(help), std::move(example), false};
}

}  // namespace drydock::pack
