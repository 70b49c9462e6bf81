// JSON Schemas (draft 7) of the files, made from the same schemas as check().
//
// Editors complete and check pack files by them; docs/formats/schema holds copies, which a test
// compares with the writer's. A JSON Schema is weaker than check(): bounds of versions and
// relations between keys are left out. It must never be stricter, or an editor would mark a good
// file. Schemas with a name in `defined` become definitions: `law` stands in many places.
#include "base/text.h"
#include "pack/shape.h"

namespace drydock::pack {

namespace {

using Kind = Shape::Kind;

Json typed(const char* type) {
    Json schema;
    schema.set("type", type);
    return schema;
}

// Scalars are typed by their key, not by their spelling: 3.4 is a valid text, "3" a valid number.
Json text_schema() {
    Json types;
    Json schema;
    schema.set("type", types.push("string").push("number").push("boolean"));
    return schema;
}

Json choice_schema(const Shape& shape) {
    Json values;
    for (const std::string& word : shape.choices) {
        values.push(word);
        // Editors read these words as booleans where they are not quoted.
        if (word == "true" || word == "yes" || word == "no") {
            values.push(word != "no");
        }
    }
    Json schema;
    schema.set("enum", values);
    return schema;
}

// A table with `exactly_one` becomes a `oneOf` over required keys, which also refuses two of them.
Json table_schema(const Shape& shape) {
    Json schema = typed("object");
    Json properties = Json::Object();
    Json needed;
    for (const Field& field : shape.fields) {
        Json property = schema_of(field.shape, field.help);
        if (!field.example.empty()) {
            property.set("examples", Json(Json::Array{field.example}));
        }
        properties.set(field.key, property);
        if (field.required) {
            needed.push(field.key);
        }
    }
    schema.set("properties", properties);
    if (!needed.is_null()) {
        schema.set("required", needed);
    }
    schema.set("additionalProperties", shape.inner ? schema_of(*shape.inner) : Json(false));
    Json ways;
    for (const std::string& key : shape.exactly_one) {
        Json way;
        ways.push(way.set("required", Json(Json::Array{key})));
    }
    return ways.is_null() ? schema : schema.set("oneOf", ways);
}

// A list that may omit its brackets becomes a choice between the list and one item.
Json list_schema(const Shape& shape) {
    Json schema = typed("array");
    schema.set("items", schema_of(*shape.inner));
    if (!shape.single) {
        return schema;
    }
    Json alternatives;
    return alternatives.set("anyOf", Json(Json::Array{schema, schema_of(*shape.inner)}));
}

Json map_schema(const Shape& shape) {
    Json schema = typed("object");
    if (shape.keys && shape.keys->kind == Kind::name) {
        schema.set("propertyNames", schema_of(*shape.keys));
    }
    return schema.set("additionalProperties", schema_of(*shape.inner));
}

Json patterned(const char* pattern) {
    Json schema = text_schema();
    return schema.set("pattern", pattern);
}

// Returns the schema without a reference: json_schema_of() refers to named ones, root_json_schema()
// defines them.
Json bare_schema(const Shape& shape) {
    Json schema;
    switch (shape.kind) {
    case Kind::any:
        return Json::Object();
    case Kind::text:
    case Kind::version:
    case Kind::range:
        return text_schema();
    case Kind::name:
        return patterned("^[A-Za-z0-9_-]{1,64}$");
    case Kind::duration:
        return patterned("^[0-9]+(ms|s|m|h|d)$");
    case Kind::integer:
        return typed("integer").set("minimum", shape.least);
    case Kind::boolean:
        return typed("boolean");
    case Kind::choice:
        return choice_schema(shape);
    case Kind::list:
        return list_schema(shape);
    case Kind::map:
        return map_schema(shape);
    case Kind::table:
        return table_schema(shape);
    case Kind::either:
        break;
    }
    Json::Array ways;
    for (const Shape& alternative : shape.alternatives) {
        ways.push_back(schema_of(alternative));
    }
    return schema.set("anyOf", ways);
}

// Collects the named schemas. A schema is a value and cannot contain itself, so the recursion ends.
void collect(const Shape& shape, Json& definitions) {
    if (!shape.defined.empty()) {
        definitions.set(shape.defined, bare_schema(shape));
    }
    for (const Field& field : shape.fields) {
        collect(field.shape, definitions);
    }
    for (const Shape& alternative : shape.alternatives) {
        collect(alternative, definitions);
    }
    if (shape.inner) {
        collect(*shape.inner, definitions);
    }
}

}  // namespace

Json schema_of(const Shape& shape, const std::string& help) {
    Json schema = shape.defined.empty() ? bare_schema(shape)
                                        : Json().set("$ref", "#/definitions/" + shape.defined);
    return help.empty() ? schema : schema.set("description", help);
}

Json root_schema(const Shape& shape, const std::string& title) {
    Json schema = schema_of(shape);
    Json definitions;
    collect(shape, definitions);
    if (!definitions.is_null()) {
        schema.set("definitions", definitions);
    }
    schema.set("$schema", "http://json-schema.org/draft-07/schema#");
    return schema.set("title", title);
}

}  // namespace drydock::pack
