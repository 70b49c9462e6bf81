// The parts of a step that are read by files of their own.
#pragma once

#include "model/pack.h"
#include "pack/pack_reader.h"
#include "pack/value_schema.h"

namespace drydock::pack {

// True for verbs that change nothing by themselves.
[[nodiscard]] bool is_read_only(model::Verb verb);

// Reads the request of a step to its host: `do`, `script` and `arguments`. Sets in `scope` whether
// ${script} is known.
void read_request(const Node& node, NameScope& scope, model::StepSpec& step, PackReader& reader);

// Returns the step with the keys that its role gives for its verb and that it does not have itself.
[[nodiscard]] Node
with_defaults(const Node& step, const model::PhaseSpec& phase, PackReader& reader);

// Reads `effect`, `while` and `alone` of a step, in the scope of the step.
void read_effects(const Node& node,
                  const NameScope& scope,
                  model::StepSpec& step,
                  PackReader& reader);

}  // namespace drydock::pack
