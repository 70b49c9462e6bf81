// The order of an expansion: decode the run; after a halt only the operator acts; ask run::next()
// for commands; try the two reductions that may replace everything else; expand each command; add
// the environment. A pending begin excludes all but begins and guards, because the real conductor
// sends commands before it waits.
#include "checker/successor_generator.h"

#include "checker/conductor_steps.h"
#include "checker/local_actions.h"

#include <algorithm>

namespace drydock::checker {

using run::Command;
using run::CommandKind;
using run::Phase;

namespace {

bool may_die(const Model& model, bool any_member_may_die) {
    return any_member_may_die || violates_skew(model, model.first.data());
}

}  // namespace

SuccessorGenerator::SuccessorGenerator(const Model& model,
                                       const Faults& faults,
                                       bool operator_repairs,
                                       bool any_member_may_die,
                                       bool resolve_local)
    : operator_repairs_(operator_repairs)
    , resolve_local_(resolve_local)
    , expansion_(model, faults)
    , order_(model, !resolve_local)
    , environment_(may_die(model, any_member_may_die))
    , limit_(model, resolve_local && may_die(model, any_member_may_die)) {
}

bool SuccessorGenerator::is_symmetric_duplicate(const Command& command) const {
    const bool concerns_one = command.what == CommandKind::judge
                              || command.what == CommandKind::begin
                              || command.what == CommandKind::ask;
    return concerns_one
           && expansion_.is_symmetric_duplicate(expansion_.model().acts[command.action].member);
}

void SuccessorGenerator::expand(const Byte* row,
                                Successors& successors,
                                std::span<const Index> representatives,
                                const Byte* previous_row) {
    expansion_.begin(row, successors, representatives);
    order_.begin(row, previous_row);
    if (expansion_.run().phase() != Phase::halted) {
        expand_running();
    } else if (operator_repairs_) {
        expand_operator_repairs(expansion_);
    }
}

void SuccessorGenerator::expand_running() {
    run::next(expansion_.model().program, expansion_.run(), commands_);
    const bool begin_only =
        std::any_of(commands_.begin(), commands_.end(), [](const Command& command) {
            return command.what == CommandKind::begin;
        });
    const bool guard_is_alone =
        !begin_only && std::count_if(commands_.begin(), commands_.end(), judges_guard) == 1;
    ConductorSteps conductor(expansion_, order_, limit_, guard_is_alone);
    if (resolve_local_ && !begin_only
        && (resolve_local_action(expansion_, commands_, conductor)
            || limit_.skip_surplus(expansion_, commands_))) {
        return;
    }
    limit_.count(expansion_.run());
    for (const Command& command : commands_) {
        const bool is_due =
            !begin_only || command.what == CommandKind::begin || judges_guard(command);
        if (is_due && !is_symmetric_duplicate(command)) {
            conductor.expand(command);
        }
    }
    if (!begin_only && expansion_.run().phase() == Phase::running) {
        environment_.expand(expansion_, order_, commands_);
    }
}

}  // namespace drydock::checker
