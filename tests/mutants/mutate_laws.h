// Mutants under the laws of what really happens: each operator breaks a valid plan in the way that
// one law is about, and names the property that must catch it.
#pragma once

#include "mutants/mutate.h"

#include <span>

namespace drydock::mutants {

struct LawOperator {
    int law;           // the kind's number in docs/design/0014-laws-of-what-happens.md
    const char* name;  // "move a migration before the stops"
    checker::Property caught_by;
    std::vector<Mutant> (*mutants)(const Base& base, const model::Plan& plan, const char* name);
};

[[nodiscard]] std::span<const LawOperator> law_operators();

}  // namespace drydock::mutants
