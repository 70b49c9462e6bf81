// Gates: finds the gate that waits for a person, and builds the event of its approval.
#pragma once

#include "model/plan.h"
#include "run/event.h"
#include "run/state.h"

#include <cstddef>
#include <optional>
#include <string>

namespace drydock::executor {

// Returns the action of the gate with that name if it waits for a person now. An empty `name`
// matches any gate.
[[nodiscard]] std::optional<std::size_t>
find_open_gate(const model::Plan& plan, const run::State& state, const std::string& name);

// Returns the event of the approval, with the words that were approved.
[[nodiscard]] run::Event
approval_of(const model::Plan& plan, std::size_t gate, const std::string& person);

}  // namespace drydock::executor
