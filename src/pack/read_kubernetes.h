// The checks of probes and requests `kubernetes` that no schema can express, and the request.
#pragma once

#include "pack/pack_reader.h"

namespace drydock::pack {

// Reports an unclear server, an object without a name, and a change that cannot be held to one
// object. `node` is the map below `kubernetes`.
void check_kubernetes_probe(const Node& node, Diagnostics& diagnostics);
void check_kubernetes_request(const Node& node, Diagnostics& diagnostics);

// Returns the request as the agent reads it.
[[nodiscard]] Json kubernetes_request_of(const Node& node);

}  // namespace drydock::pack
