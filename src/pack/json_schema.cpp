// JSON Schemas (draft 7) of the files, made from the same schemas as check().
//
// Editors complete and check pack files by them; docs/formats/schema holds copies, which a test
// compares with the writer's. A JSON Schema is weaker than check(): bounds of versions and
// relations between keys are left out. It must never be stricter, or an editor would mark a good
// file. Schemas with a name in `defined` become definitions: `law` stands in many places.
#include "base/text.h"
#include "pack/value_schema.h"

namespace drydock::pack {

namespace {

using Kind = Schema::Kind;

Json typed(const char* type) {
    Json json;
    json.set("type", type);
    return json;
}

// Scalars are typed by their key, not by their spelling: 3.4 is a valid text, "3" a valid number.
Json text_schema() {
    Json types;
    Json json;
    json.set("type", types.push("string").push("number").push("boolean"));
    return json;
}

Json choice_schema(const Schema& schema) {
    Json values;
    for (const std::string& word : schema.choices) {
        values.push(word);
        // Editors read these words as booleans where they are not quoted.
        if (word == "true" || word == "yes" || word == "no") {
            values.push(word != "no");
        }
    }
    Json json;
    json.set("enum", values);
    return json;
}

// A table with `exactly_one` becomes a `oneOf` over required keys, which also refuses two of them.
Json table_schema(const Schema& schema) {
    Json json = typed("object");
    Json properties = Json::Object();
    Json needed;
    for (const Field& field : schema.fields) {
        Json property = json_schema_of(field.schema, field.help);
        if (!field.example.empty()) {
            property.set("examples", Json(Json::Array{field.example}));
        }
        properties.set(field.key, property);
        if (field.required) {
            needed.push(field.key);
        }
    }
    json.set("properties", properties);
    if (!needed.is_null()) {
        json.set("required", needed);
    }
    json.set("additionalProperties", schema.inner ? json_schema_of(*schema.inner) : Json(false));
    Json ways;
    for (const std::string& key : schema.exactly_one) {
        Json way;
        ways.push(way.set("required", Json(Json::Array{key})));
    }
    return ways.is_null() ? json : json.set("oneOf", ways);
}

// A list that may omit its brackets becomes a choice between the list and one item.
Json list_schema(const Schema& schema) {
    Json json = typed("array");
    json.set("items", json_schema_of(*schema.inner));
    if (!schema.may_omit_brackets) {
        return json;
    }
    Json alternatives;
    return alternatives.set("anyOf", Json(Json::Array{json, json_schema_of(*schema.inner)}));
}

Json map_schema(const Schema& schema) {
    Json json = typed("object");
    if (schema.keys && (schema.keys->kind == Kind::name || schema.keys->kind == Kind::choice)) {
        json.set("propertyNames", json_schema_of(*schema.keys));
    }
    return json.set("additionalProperties", json_schema_of(*schema.inner));
}

Json patterned(const char* pattern) {
    Json json = text_schema();
    return json.set("pattern", pattern);
}

// Returns the schema without a reference: json_schema_of() refers to named ones, root_json_schema()
// defines them.
Json bare_schema(const Schema& schema) {
    Json json;
    switch (schema.kind) {
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
        return typed("integer").set("minimum", schema.minimum);
    case Kind::boolean:
        return typed("boolean");
    case Kind::choice:
        return choice_schema(schema);
    case Kind::list:
        return list_schema(schema);
    case Kind::map:
        return map_schema(schema);
    case Kind::table:
        return table_schema(schema);
    case Kind::one_of:
        break;
    }
    Json::Array ways;
    for (const Schema& alternative : schema.alternatives) {
        ways.push_back(json_schema_of(alternative));
    }
    return json.set("anyOf", ways);
}

// Collects the named schemas. A schema is a value and cannot contain itself, so the recursion ends.
void collect(const Schema& schema, Json& definitions) {
    if (!schema.definition_name.empty()) {
        definitions.set(schema.definition_name, bare_schema(schema));
    }
    for (const Field& field : schema.fields) {
        collect(field.schema, definitions);
    }
    for (const Schema& alternative : schema.alternatives) {
        collect(alternative, definitions);
    }
    if (schema.inner) {
        collect(*schema.inner, definitions);
    }
}

}  // namespace

Json json_schema_of(const Schema& schema, const std::string& help) {
    Json json = schema.definition_name.empty()
                    ? bare_schema(schema)
                    : Json().set("$ref", "#/definitions/" + schema.definition_name);
    return help.empty() ? json : json.set("description", help);
}

Json root_json_schema(const Schema& schema, const std::string& title) {
    Json json = json_schema_of(schema);
    Json definitions;
    collect(schema, definitions);
    if (!definitions.is_null()) {
        json.set("definitions", definitions);
    }
    json.set("$schema", "http://json-schema.org/draft-07/schema#");
    return json.set("title", title);
}

}  // namespace drydock::pack
