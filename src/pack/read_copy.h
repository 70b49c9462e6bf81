// The requests `copy` and `verify` of a step: drydock's own movers, run on the step's host.
#pragma once

#include "base/json.h"
#include "pack/yaml.h"

#include <string>

namespace drydock::pack {

// Returns the arguments of drydock for `do: {copy: ...}` or `do: {verify: ...}`. The first is
// `${drydock}`, which the agent replaces by its own program. `word` is the key under `do`.
[[nodiscard]] Json mover_arguments(const std::string& word, const Node& node);

}  // namespace drydock::pack
