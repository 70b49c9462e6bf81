// Conditions that ask `any` member of a role where all of its members are stopped. Members that the
// plan has stopped are not asked, so that the answer is no, whatever the author meant.
//
// The walk goes through the phases of a procedure in order. It knows roles of which every member
// was stopped and none was started since. A step with `when` or `where` may spare members, so that
// it stops nobody for certain.
#include "pack/pack_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace drydock::pack {

namespace {

using model::Verb;

class StoppedRoles {
public:
    StoppedRoles(const model::Pack& pack, Diagnostics& diagnostics)
        : pack_(pack)
        , diagnostics_(diagnostics) {}

    void read(const model::ProcedureSpec& procedure) {
        stopped_.clear();
        for (const model::PhaseSpec& phase : procedure.phases) {
            for (const model::StepSpec& step : phase.steps) {
                read_step(step, phase);
            }
            if (phase.selection && phase.selection->filter.empty() && ends_stopped(phase)) {
                stopped_.insert(phase.selection->role);
            }
        }
    }

private:
    // What a step starts is up when its postconditions are asked.
    void read_step(const model::StepSpec& step, const model::PhaseSpec& phase) {
        warn_of(step.applies_if);
        warn_of(step.preconditions);
        forget_started(step, phase);
        for (const auto* conditions :
             {&step.postconditions, &step.completion_check, &step.fail_fast_if}) {
            warn_of(*conditions);
        }
        const bool is_for_all = step.selection && !step.selection->is_single
                                && !step.selection->per_host && step.selection->filter.empty()
                                && step.raises.empty() && phase.raises.empty();
        if (step.verb == Verb::stop && step.applies_if.empty() && is_for_all) {
            stopped_.insert(step.selection->role);
        }
    }

    void forget_started(const model::StepSpec& step, const model::PhaseSpec& phase) {
        if (step.verb == Verb::start || step.verb == Verb::restart) {
            stopped_.erase(step.selection    ? step.selection->role
                           : phase.selection ? phase.selection->role
                                             : "");
        }
        for (const model::EffectSpec& effect : step.effects) {
            if (moves_running(effect) && !effect.value.is_null()) {
                stopped_.erase(effect.role);
            }
        }
    }

    [[nodiscard]] bool moves_running(const model::EffectSpec& effect) const {
        return std::any_of(pack_.facts.begin(), pack_.facts.end(), [&](const auto& fact) {
            return fact.standard_fact == model::StandardFact::running && fact.name == effect.name
                   && fact.role == model::without_side(effect.role);
        });
    }

    // Returns true if the block of a member ends with the member stopped, for every member.
    [[nodiscard]] bool ends_stopped(const model::PhaseSpec& phase) const {
        bool is_stopped = false;
        for (const model::StepSpec& step : phase.steps) {
            const bool starts = step.verb == Verb::start || step.verb == Verb::restart
                                || std::any_of(step.effects.begin(),
                                               step.effects.end(),
                                               [&](const auto& one) { return moves_running(one); });
            const bool stops = step.verb == Verb::stop && step.applies_if.empty()
                               && step.raises.empty() && phase.raises.empty();
            is_stopped = stops || (is_stopped && !starts);
        }
        return is_stopped;
    }

    void warn_of(const std::vector<model::Condition>& conditions) {
        for (const model::Condition& condition : conditions) {
            if (condition.quantifier == model::Quantifier::any
                && stopped_.contains(condition.role)) {
                diagnostics_.warning(
                    "condition.stopped",
                    condition.position,
                    fmt::format("`of: any` of `{}` asks members of `{}`, which are all stopped "
                                "here: the answer is no",
                                condition.fact,
                                condition.role),
                    "ask before they are stopped, or ask a fact of the system");
            }
        }
    }

    const model::Pack& pack_;
    Diagnostics& diagnostics_;
    std::set<std::string> stopped_;  // roles, with their side
};

}  // namespace

void check_stopped(const model::Pack& pack, Diagnostics& diagnostics) {
    StoppedRoles roles(pack, diagnostics);
    for (const model::ProcedureSpec& procedure : pack.procedures) {
        roles.read(procedure);
    }
}

}  // namespace drydock::pack
