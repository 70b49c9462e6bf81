// The published JSON Schemas (docs/formats/schema) are those of the program, and good files fit
// them. DRYDOCK_ACCEPT=1 writes them anew.
#include "pack/load.h"
#include "pack/yaml.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace drydock::pack {
namespace {

const std::string k_source = DRYDOCK_SOURCE_DIR;
const std::vector<std::string> k_good = {
    "/tests/bad_input/base/", "/tests/bad_input/laws/", "/tests/bad_input/kubernetes/"};

struct Published {
    const char* name;
    Json schema;
    const char* good;  // in each of k_good
};

std::vector<Published> published() {
    return {{"pack", pack_json_schema(), "pack.yaml"},
            {"releases", releases_json_schema(), "releases.yaml"},
            {"procedure", procedure_json_schema(), "procedures/upgrade.yaml"},
            {"cluster", cluster_json_schema(), "cluster.yaml"}};
}

std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// Why `value` does not fit `schema`; "" if it does. The part of draft 7 that our schemas use.
std::string misfit(const Json& value, const Json& schema);
const Json* root = nullptr;  // the whole schema, for its definitions

bool type_fits(const Json& value, const Json& type) {
    for (const Json& one : type.items()) {
        if (type_fits(value, one)) {
            return true;
        }
    }
    const std::string& name = type.as_string();
    return (name == "object" && value.is_object()) || (name == "array" && value.is_array())
           || (name == "string" && value.is_string()) || (name == "integer" && value.is_integer())
           || (name == "number" && value.is_number()) || (name == "boolean" && value.is_bool());
}

std::string object_misfit(const Json& value, const Json& schema) {
    for (const Json& key : schema["required"].items()) {
        if (!value.contains(key.as_string())) {
            return "no " + key.as_string();
        }
    }
    for (const auto& [key, one] : value.members()) {
        const bool declared = schema["properties"].contains(key);
        const Json& inner = declared ? schema["properties"][key] : schema["additionalProperties"];
        const bool refused = inner.is_bool() && !inner.as_bool();
        const std::string why = refused ? "unknown" : misfit(one, inner);
        if (!why.empty()) {
            return key + ": " + why;
        }
    }
    return "";
}

int ways_that_fit(const Json& value, const Json& ways) {
    int count = 0;
    for (const Json& way : ways.items()) {
        count += misfit(value, way).empty() ? 1 : 0;
    }
    return count;
}

std::string misfit(const Json& value, const Json& schema) {
    if (schema.contains("$ref")) {
        return misfit(value, *root->find(schema["$ref"].as_string().substr(1)));
    }
    if (schema.contains("type") && !type_fits(value, schema["type"])) {
        return value.dump() + " is no " + schema["type"].dump();
    }
    if (schema.contains("enum")) {
        const auto& allowed = schema["enum"].items();
        const bool found = std::find(allowed.begin(), allowed.end(), value) != allowed.end();
        return found ? "" : value.dump() + " is none of " + schema["enum"].dump();
    }
    if (schema.contains("anyOf") && ways_that_fit(value, schema["anyOf"]) == 0) {
        return value.dump() + " fits no way";
    }
    if (schema.contains("oneOf") && ways_that_fit(value, schema["oneOf"]) != 1) {
        return value.dump() + " fits not exactly one way";
    }
    for (const Json& item : value.items()) {
        const std::string why = schema.contains("items") ? misfit(item, schema["items"]) : "";
        if (!why.empty()) {
            return why;
        }
    }
    const bool object = schema.contains("properties") || schema.contains("required")
                        || schema.contains("additionalProperties");
    return object ? object_misfit(value, schema) : "";
}

TEST(Schemas, ThePublishedOnesAreThoseOfTheProgram) {
    for (const Published& one : published()) {
        const std::string path = k_source + "/docs/formats/schema/" + one.name + ".json";
        if (std::getenv("DRYDOCK_ACCEPT") != nullptr) {
            std::ofstream(path) << one.schema.pretty() << "\n";
        }
        EXPECT_EQ(read_all(path), one.schema.pretty() + "\n") << path;
    }
}

TEST(Schemas, GoodFilesFit) {
    for (const Published& one : published()) {
        for (const std::string& folder : k_good) {
            Diagnostics diagnostics;
            const std::string path = k_source + folder + one.good;
            root = &one.schema;
            const auto documents = parse_yaml(read_all(path), path, true, diagnostics);
            EXPECT_FALSE(documents.empty()) << path;
            for (const Node& document : documents) {
                EXPECT_EQ(misfit(to_json(document), one.schema), "") << path;
            }
            EXPECT_FALSE(diagnostics.has_errors()) << diagnostics.text();
        }
    }
}

TEST(Schemas, WrongFilesDoNotFit) {
    const auto wrong = [](const char* text, const Json& schema) {
        return misfit(Json::parse(text).value(), schema);
    };
    EXPECT_EQ(wrong(R"({"pack":"x","title":"x","roles":{}})", pack_json_schema()), "no facts");
    EXPECT_EQ(wrong(R"({"pack":"x","title":"x","roles":{"m":{"quorom":1}},"facts":{}})",
                    pack_json_schema()),
              "roles: m: quorom: unknown");
    EXPECT_NE(wrong(R"({"cluster":"x","system":"y","hosts":{"a":{}},"members":[]})",
                    cluster_json_schema()),
              "");
}

}  // namespace
}  // namespace drydock::pack
