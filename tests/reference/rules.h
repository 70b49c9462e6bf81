// Rules about copies, writes and the point of no return: what an action's effect breaks of them.
#pragma once

#include "reference/laws.h"

namespace drydock::reference {

[[nodiscard]] bool has_effect(const model::Action& action, model::EffectKind kind);
[[nodiscard]] bool destroys(const model::Action& action);
[[nodiscard]] bool moves_serving(const Model& model, const model::Action& action);

void look_at_copies(const Model& model,
                    const model::Action& action,
                    const World& world,
                    Broken& broken);
// The new side takes writes from here on, if it does.
void note_writes(const Model& model, World& world);
// It is this transition with which the way back closes.
void look_at_closing(const Model& model, const World& world, Broken& broken);

}  // namespace drydock::reference
