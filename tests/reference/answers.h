// Answers to conditions in one world: by model::evaluate(), where somebody models the facts.
#pragma once

#include "reference/world.h"

namespace drydock::reference {

struct Answer {
    model::Truth told = model::Truth::yes;  // by what is modelled
    bool open = false;                      // something is not modelled
};

// As a reading finds it that is made for `self`, with `up` expected to be up: who does not answer
// tells nothing.
[[nodiscard]] Answer answer(const Model& model,
                            const std::vector<model::Condition>& conditions,
                            const std::string& self,
                            const World& world,
                            const model::Roster& up);

[[nodiscard]] inline bool holds(const Answer& answer) {
    return answer.told == model::Truth::yes;
}

}  // namespace drydock::reference
