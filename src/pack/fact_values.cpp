// Checks and reads values of facts by their types. A ${name} stands for a value of any type.
#include "pack/fact_values.h"

#include "model/version.h"

namespace drydock::pack {

using model::FactType;

namespace {

bool has_name(const Node& node) {
    return node.kind == Node::Kind::scalar && node.scalar.find("${") != std::string::npos;
}

}  // namespace

bool fits(const Node& node, FactType type) {
    if (has_name(node)) {
        return true;
    }
    if (type == FactType::list) {
        return node.kind == Node::Kind::list;
    }
    if (node.kind != Node::Kind::scalar) {
        return false;
    }
    const Json value = to_json(node);
    switch (type) {
    case FactType::boolean:
        return value.is_bool();
    case FactType::integer:
        return value.is_integer();
    case FactType::release:
        return model::Version::parse(node.scalar).has_value();
    case FactType::text:
    case FactType::list:
        break;
    }
    return true;
}

std::string example_of(FactType type) {
    switch (type) {
    case FactType::boolean:
        return "true or false";
    case FactType::integer:
        return "a whole number, as in 80";
    case FactType::release:
        return "a release or series, as in \"3.5\" or \"${to}\"";
    case FactType::text:
        return "text";
    case FactType::list:
        break;
    }
    return "a list, as in [] or [a, b]";
}

// As JSON, the release 3.10 would become the number 3.1.
Json typed_value(const Node& node, FactType type) {
    const bool textual = type == FactType::release || type == FactType::text;
    return textual && node.kind == Node::Kind::scalar ? Json(node.scalar) : to_json(node);
}

}  // namespace drydock::pack
