// Values of facts as a pack writes them: operands of conditions, and what effects make of facts.
#pragma once

#include "base/json.h"
#include "model/fact.h"
#include "pack/yaml.h"

#include <string>

namespace drydock::pack {

// Returns true if the value has the type, or is text with a ${name} for the planner to fill in.
[[nodiscard]] bool fits(const Node& node, model::FactType type);
// Returns words and examples for a suggestion: "true or false".
[[nodiscard]] std::string example_of(model::FactType type);
// Returns the value as JSON. Releases and texts keep their spelling.
[[nodiscard]] Json typed_value(const Node& node, model::FactType type);

}  // namespace drydock::pack
