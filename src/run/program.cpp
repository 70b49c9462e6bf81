// Packs a plan into flags and one array of predecessors.
//
// A checker calls next() for millions of states, and each call looks at every action. So each
// action has two bytes, and all lists of predecessors share one array.
#include "run/program.h"

#include <algorithm>

namespace drydock::run {

Program::Program(const model::Plan& plan) : ends_{0} {
    for (const model::Action& action : plan.actions) {
        Kind kind;
        kind.bits = static_cast<std::uint8_t>(
            (action.is_gate() ? k_gate : 0) | (action.request.is_null() ? 0 : k_acts)
            | (action.postconditions.empty() ? 0 : k_has_postconditions)
            | (action.repeatable == model::Repeatable::yes ? k_repeatable : 0)
            | (action.repeatable == model::Repeatable::no ? k_unrepeatable : 0)
            | (action.optional ? k_optional : 0));
        kind.attempts = static_cast<std::uint8_t>(std::clamp(action.attempts, 1, 255));
        kinds_.push_back(kind);
        for (const std::size_t predecessor : action.predecessors) {
            predecessors_.push_back(static_cast<std::uint32_t>(predecessor));
        }
        ends_.push_back(static_cast<std::uint32_t>(predecessors_.size()));
    }
    predecessors_.push_back(0);  // the last action's list has an address even if it is empty
}

}  // namespace drydock::run
