// Steps that are `optional` though the cluster needs what they do.
//
// A run goes on without an optional step that failed. If that step has left a member down, or on
// the old release, the run would end as finished all the same.
#include "pack/pack_reader.h"

#include <fmt/format.h>

#include <set>

namespace drydock::pack {

namespace {

using model::EffectSpec;
using model::PhaseSpec;
using model::StandardFact;
using model::StepSpec;
using model::Verb;

bool is_move(Verb verb) {
    return verb == Verb::stop || verb == Verb::install || verb == Verb::start
           || verb == Verb::restart;
}

// Returns the roles whose members the step takes down, installs or brings up.
std::set<std::string>
moved_roles(const model::Pack& pack, const PhaseSpec& phase, const StepSpec& step) {
    std::set<std::string> roles;
    const auto& selection = step.selection ? step.selection : phase.selection;
    if (is_move(step.verb) && selection) {
        roles.insert(model::without_side(selection->role));
    }
    for (const auto* effects : {&step.effects, &step.meanwhile}) {
        for (const EffectSpec& effect : *effects) {
            const std::string role = model::without_side(effect.role);
            const model::FactSpec* fact = find_fact(pack, role, effect.name);
            if (fact != nullptr
                && (fact->standard_fact == StandardFact::running
                    || fact->standard_fact == StandardFact::installed)) {
                roles.insert(role);
            }
        }
    }
    return roles;
}

void check_step(const model::Pack& pack,
                const PhaseSpec& phase,
                const StepSpec& step,
                Diagnostics& diagnostics) {
    for (const std::string& name :
         step.optional ? moved_roles(pack, phase, step) : std::set<std::string>()) {
        const auto role = pack.roles.find(name);
        if (role != pack.roles.end() && !role->second.optional) {
            diagnostics.error(
                "step.optional",
                step.position,
                fmt::format("`optional` on a step that moves a {}: if it fails, the run ends "
                            "without that member",
                            name),
                fmt::format("leave `optional` out, or give the role `optional: true` if the "
                            "cluster serves without a {}",
                            name));
        }
    }
}

}  // namespace

void check_optional_steps(const model::Pack& pack, Diagnostics& diagnostics) {
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        for (const PhaseSpec& phase : procedure.phases) {
            for (const StepSpec& step : phase.steps) {
                check_step(pack, phase, step, diagnostics);
            }
        }
    }
}

}  // namespace drydock::pack
