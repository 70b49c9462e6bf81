// Gates: which gate waits for a person, and the event of its approval.
#pragma once

#include "model/plan.h"
#include "run/event.h"
#include "run/state.h"

#include <cstddef>
#include <optional>
#include <string>

namespace drydock::conduct {

// The action of the gate of that name, if it waits for a person now; of any gate if `name` is
// empty.
[[nodiscard]] std::optional<std::size_t>
find_open_gate(const model::Plan& plan, const run::State& state, const std::string& name);

[[nodiscard]] run::Event
approval_of(const model::Plan& plan, std::size_t gate, const std::string& person);

}  // namespace drydock::conduct
