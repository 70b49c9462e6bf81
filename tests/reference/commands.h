// Commands: what is asked when one leaves, besides its guards.
#pragma once

#include "reference/world.h"

#include <set>

namespace drydock::reference {

// The command leaves: whether it takes a group below its minimum, or may not go beside another.
[[nodiscard]] std::set<checker::Property>
leave(const Model& model, std::size_t index, const World& world);
// The action takes members down.
[[nodiscard]] bool takes_down(const Model& model, const model::Action& action);
// It gives or takes a vote.
[[nodiscard]] bool moves_votes(const Model& model, const model::Action& action);

// The member's start must be alone for a store, and something else that must be is in flight.
[[nodiscard]] bool
starts_beside_another(const Model& model, const std::string& member, const World& world);

}  // namespace drydock::reference
