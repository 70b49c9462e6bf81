// The order of an expansion: decode the run; after a halt only the operator acts; try the two
// reductions that may replace everything else; expand each command; add the environment. A pending
// begin excludes all but begins and guards, because the real conductor sends commands before it
// waits.
#include "checker/successor_generator.h"

#include "checker/successor_rules.h"

#include <algorithm>

namespace drydock::checker {

using run::Command;
using run::CommandKind;
using run::Phase;

SuccessorGenerator::SuccessorGenerator(const Model& model,
                                       const Faults& faults,
                                       bool operator_repairs,
                                       bool any_member_may_die,
                                       bool resolve_local)
    : operator_repairs_(operator_repairs)
    , any_member_may_die_(any_member_may_die || model.has_mutual_laws || faults.restart > 0
                          || violates_skew(model, model.initial.data()))
    , resolve_local_(resolve_local)
    , expansion_(model, faults, resolve_local)
    , limit_(model, resolve_local && any_member_may_die_) {
}

void SuccessorGenerator::expand(const Byte* row,
                                Successors& successors,
                                std::span<const Index> representatives,
                                const Byte* previous_row) {
    expansion_.begin(row, successors, representatives, previous_row);
    if (expansion_.run().phase() != Phase::halted) {
        expand_running();
    } else if (operator_repairs_) {
        expand_operator_repairs(expansion_, judges_restarts_);
    }
    const run::Phase phase = expansion_.run().phase();
    if (judges_restarts_ && (phase == Phase::running || phase == Phase::halted)) {
        expand_restarts(expansion_);
    }
}

void SuccessorGenerator::expand_running() {
    const auto& commands = expansion_.commands();
    const auto begins = [](const Command& command) { return command.kind == CommandKind::begin; };
    const bool begin_only = std::any_of(commands.begin(), commands.end(), begins);
    if (resolve_local_ && !begin_only
        && (resolve_local_action(expansion_) || limit_.skip_surplus(expansion_))) {
        return;
    }
    limit_.count(expansion_.run());
    for (const Command& command : commands) {
        const bool is_due = !begin_only || begins(command) || judges_guard(command);
        if (is_due && !is_symmetric_duplicate(command)) {
            expand_command(expansion_, command, limit_.is_surplus(command.action));
        }
    }
    if (!begin_only && expansion_.run().phase() == Phase::running) {
        expand_environment(expansion_, any_member_may_die_);
    }
}

bool SuccessorGenerator::is_symmetric_duplicate(const Command& command) const {
    const bool concerns_one = command.kind == CommandKind::judge
                              || command.kind == CommandKind::begin
                              || command.kind == CommandKind::ask;
    return concerns_one
           && expansion_.is_symmetric_duplicate(expansion_.model().actions[command.action].member);
}

}  // namespace drydock::checker
