// The facts that a fact needs: those that it is derived from, or that its probe names.
#pragma once

#include "pack/pack_reader.h"
#include "pack/yaml.h"

namespace drydock::pack {

// Returns true if the fact is computed from a fact of all members, not from facts of one scope.
[[nodiscard]] bool is_over_members(const model::FactSpec& fact);
// Reports inputs of `derive` that are no facts. All facts must be read before.
void check_inputs(const Node& derive, const model::FactSpec& fact, PackReader& reader);
// Reports facts that need themselves.
void report_cycles(PackReader& reader);

}  // namespace drydock::pack
